"""What a language model leaves around a note, and code numbers inside it, removed.

Format only: no statement of a note is touched.
"""

import re

# A reasoning model's thoughts before the answer.
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]*```[a-zA-Z]*[ \t]*$\n?|[ \t]*```\s*\Z", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(?=[^\n]*\n|[^\n]*\Z)", re.MULTILINE)
# Two stars for bold print; those of a mask such as [**2151-7-16**] stay.
_BOLD = re.compile(r"(?<!\[)\*\*(?!\])")
# One line of talk before the note: "Sure, here is the discharge summary:".
_PREAMBLE = re.compile(
    r"\A\s*(?:(?:sure|certainly|of course|absolutely|okay|ok)\b[^\n]*"
    r"|here(?:'s| is| are)\b[^\n]*:)[ \t]*\n+",
    re.IGNORECASE,
)


def strip_markup(text: str) -> str:
    r"""Remove thoughts, code fences, bold print, a preamble line and outer white space.

    Before: ``Sure, here is the note:\n```\n**Service:** Medicine\n``` ``.
    After: ``Service: Medicine``. Markdown headings lose their marks only if bold print or fences
    show that the text is Markdown: a note may well number its problems with ``#``.
    """
    bare = _THOUGHTS.sub("", text)
    plain = _BOLD.sub("", _FENCE.sub("", bare))
    if plain != bare:
        plain = _HEADING.sub("", plain)
    return _PREAMBLE.sub("", plain).strip()


def _telling(code: str) -> bool:
    """Return whether a code alone is unmistakable: 428.0, V45.81, E11.9, and not 38.9 or 486."""
    before, dot, _ = code.partition(".")
    return bool(dot) and len(before) >= 3


def strip_codes(text: str, codes: list[str]) -> str:
    """Remove the request's own code numbers from a note.

    Before: ``CHF (428.0), cath [ICD-9: 37.22], temperature 38.9`` with codes 428.0, 37.22, 38.9.
    After: ``CHF, cath, temperature 38.9``. A code goes where it stands in brackets or behind
    ``ICD`` or ``code``; without such a mark only if it can be no measurement.
    """
    lower = text.lower()
    codes = [code for code in codes if code.lower() in lower]
    if not codes:
        return text
    any_code = "|".join(
        re.escape(code) for code in sorted(codes, key=lambda code: (-len(code), code))
    )
    mark = r"(?:ICD[- ]?(?:9|10)?(?:[- ]?(?:CM|PCS))?(?:[- ]?codes?)?|codes?)[ \t]*[:#]?[ \t]*"
    one = rf"(?:{any_code})(?![\w]|\.\d)"
    patterns = [
        rf"[ \t]*[(\[][ \t]*(?:{mark})?{one}(?:[ \t]*,[ \t]*{one})*[ \t]*[)\]]",
        rf"[ \t]*(?<!\w){mark}{one}",
    ]
    telling = [re.escape(code) for code in codes if _telling(code)]
    if telling:
        patterns.append(rf"[ \t]*(?<![\w.])(?:{'|'.join(telling)})(?![\w]|\.\d)")
    for pattern in patterns:
        text = re.sub(pattern, "", text, flags=re.IGNORECASE)
    return text
