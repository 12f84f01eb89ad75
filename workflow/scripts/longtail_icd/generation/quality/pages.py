"""Static pages that can be read alone: no network, no script from elsewhere."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from longtail_icd.common.errors import UserError


def render(template: str | Path, **shown: Any) -> str:
    """Return a page; whatever is shown is escaped.

    Args:
        template: the Jinja2 template; others can be included by their name beside it, or by that
            of their folder beside its own.
        shown: what it shows.

    Raises:
        UserError: the template is broken.
    """
    template = Path(template)
    environment = Environment(
        loader=FileSystemLoader([template.parent, template.parent.parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template(template.name).render(shown)
    except TemplateError as error:
        raise UserError(f"{template}: {error.message}; mend the template") from None
