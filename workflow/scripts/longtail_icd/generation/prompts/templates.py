"""Prompt templates: files with Jinja blocks, known by name and by a hash of their text."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from longtail_icd.common.errors import UserError


@dataclass(frozen=True)
class Template:
    """A prompt template.

    Attributes:
        name: the file's, without its ending.
        hash: 16 hex digits over the file: the version of the template.
        jinja: blocks ``system`` (may be missing), ``user``, and ``follow_up`` for a second step.
    """

    name: str
    hash: str
    jinja: jinja2.Template

    def _block(self, name: str, values: dict[str, Any]) -> str:
        return "".join(self.jinja.blocks[name](self.jinja.new_context(values))).strip()

    def messages(self, values: dict[str, Any]) -> list[dict[str, str]]:
        """Return the chat messages for one request."""
        return [
            {"role": role, "content": self._block(role, values)}
            for role in ("system", "user")
            if role in self.jinja.blocks
        ]

    def follow_up(self, values: dict[str, Any]) -> str | None:
        """Return the user message of the second step, or nothing where there is one step."""
        return self._block("follow_up", values) if "follow_up" in self.jinja.blocks else None


def load_template(path: str | Path) -> Template:
    """Read a template.

    Raises:
        UserError: the file is missing, is no valid template, or has no block ``user``.
    """
    path = Path(path)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    try:
        text = path.read_text(encoding="utf-8")
        template = environment.from_string(text)
    except FileNotFoundError:
        raise UserError(f"{path}: no such prompt template") from None
    except jinja2.TemplateSyntaxError as error:
        raise UserError(f"{path}: line {error.lineno}: {error.message}") from None
    if "user" not in template.blocks:
        raise UserError(f"{path}: a prompt template needs a block named user")
    return Template(path.stem, hashlib.blake2b(text.encode(), digest_size=8).hexdigest(), template)
