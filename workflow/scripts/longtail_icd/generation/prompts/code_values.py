"""What a prompt may say about each code of a request, and how the note is to word it."""

from typing import Any

from longtail_icd.generation.knowledge import CodeFacts
from longtail_icd.generation.prompts.wordings import draw_styles, word
from longtail_icd.generation.shards import generator_of, shuffled

# What a writer without a language model, and the screening, may know of a code.
_KNOWN = ("code", "role", "kind", "title", "wording", "style", "synonyms")


def _styles(template: str, prompt: dict[str, Any], request_id: str, codes: list[str]) -> dict:
    """Return the style of each code, the anchor first; a graft words its anchor alone."""
    styles = dict.fromkeys(codes, "description" if template == "description" else "synonym")
    if "wording" not in prompt:
        return styles
    worded = codes[:1] if template == "graft" else codes
    generator = generator_of(request_id, "wording", prompt["seed"])
    return styles | draw_styles(worded, prompt["wording"], generator)


def _wording(style: str, title: str, synonyms: list[str], quotas: bool) -> tuple[str, str]:
    """Return style and wording; without quotas any synonym will do, as in the paper."""
    if quotas or style == "description":
        return word(style, title, synonyms)
    return style, synonyms[0] if synonyms else title


def code_values(
    request_id: str,
    codes: list[str],
    facts: dict[str, CodeFacts],
    template: str,
    prompt: dict[str, Any],
) -> list[dict[str, Any]]:
    """Return one object per code; the order of a code's synonyms depends on it and the request.

    Args:
        request_id: of the request.
        codes: the anchor first.
        facts: per code what the terminology says.
        template: name of the template.
        prompt: the recipe's block ``prompt``.
    """
    values = []
    for code, drawn in _styles(template, prompt, request_id, codes).items():
        known = facts[code]
        synonyms = shuffled(known.synonyms, generator_of(request_id, code, prompt["seed"]))
        style, wording = _wording(drawn, known.title, synonyms, "wording" in prompt)
        values.append(
            {
                "code": code,
                "role": "companion" if values else "anchor",
                "kind": known.kind,
                "title": known.title,
                "path": known.path,
                "synonym": synonyms[0] if synonyms else None,
                "synonyms": synonyms,
                "style": style,
                "wording": wording,
            }
        )
    return values


def knowledge_of(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the column knowledge of a request: its code values without what only prompts show."""
    return [{key: value[key] for key in _KNOWN} for value in values]
