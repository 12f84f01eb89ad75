"""Where a note says what a code means: character spans of its wordings."""

from collections.abc import Iterable

Span = tuple[int, int]


def folded(text: str) -> str:
    r"""Lower-case a text and turn any white space into a blank, keeping every offset.

    Before: ``Acute\nMI``. After: ``acute mi``. The few characters whose lower case is longer
    than one character stay as they are.
    """
    return "".join(
        " " if character.isspace() else lower if len(lower := character.lower()) == 1 else character
        for character in text
    )


def _occurrences(phrase: str, text: str) -> Iterable[Span]:
    """Yield the spans where ``phrase`` stands in ``text`` as whole words; both folded."""
    start = text.find(phrase)
    while start >= 0:
        end = start + len(phrase)
        cut_before = start > 0 and text[start - 1].isalnum() and phrase[0].isalnum()
        cut_after = end < len(text) and text[end].isalnum() and phrase[-1].isalnum()
        if not cut_before and not cut_after:
            yield start, end
        start = text.find(phrase, start + 1)


def find_spans(folded_text: str, phrases: Iterable[str]) -> list[Span]:
    """Return where any of the phrases stands, as sorted [start, end) without one inside another.

    Before: ``chf and acute chf`` with phrases ``CHF``, ``acute CHF``. After: (0, 3), (8, 17).

    Args:
        folded_text: a note after :func:`folded`.
        phrases: wordings as they are; case does not matter.
    """
    spans = {
        span for phrase in phrases if phrase for span in _occurrences(folded(phrase), folded_text)
    }
    kept: list[Span] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or end > kept[-1][1]:
            kept.append((start, end))
    return kept
