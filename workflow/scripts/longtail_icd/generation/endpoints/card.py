"""Cards of models and datasets in the Hugging Face Hub's format: YAML on top of Markdown."""

from pathlib import Path
from typing import Any

from huggingface_hub import CardData
from jinja2 import Environment, StrictUndefined, TemplateError

from longtail_icd.common.errors import UserError
from longtail_icd.generation.endpoints.licences import Licence

CARDS = Path(__file__).parents[5] / "resources" / "cards"
# PhysioNet's custom for what derives from a corpus of its own.
_EXTENSIONS = {"mimic3": "MIMIC-III-Ext", "mimic4": "MIMIC-IV-Ext"}
TAGS = ["clinical-notes", "medical-coding", "icd"]


def derived_name(corpus: dict[str, Any], licence: Licence, what: str) -> str:
    """Return the name of what derives from a corpus.

    Before: the configuration's block of MIMIC-III and ``paper``. After: ``MIMIC-III-Ext-paper``;
    of a public corpus named demo: ``demo-paper``.
    """
    source = corpus["name"]
    return f"{source if licence.public else _EXTENSIONS.get(corpus['adapter'], source)}-{what}"


def licence_fields(licence: Licence) -> dict[str, str]:
    """Return the fields that name a licence; one without an id on the hub goes by its name."""
    named = {"license_name": licence.name} if licence.id == "other" else {}
    return {"license": licence.id, **named}


def render_card(template: Path, data: CardData, **shown: Any) -> str:
    """Return a card as Markdown; the template places ``card_data``, the YAML, between its dashes.

    Raises:
        UserError: the template is broken.
    """
    environment = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    try:
        page = environment.from_string(template.read_text(encoding="utf-8"))
        return page.render(card_data=data.to_yaml(), **shown) + "\n"
    except TemplateError as error:
        raise UserError(f"{template}: {error.message}; mend the template") from None
