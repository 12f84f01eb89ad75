"""How a note is to word each of its codes: title, synonym, abbreviation, or evidence alone.

Notes that state every code in the words of its prompt are too explicit to learn from (Falis et
al. 2024). So a recipe sets quotas: at most a share of a note's codes go by their official title,
shares of all codes by an abbreviation and by indirect evidence, the rest by synonyms.

Styles: ``title``; ``synonym``; ``abbreviation``; ``indirect``, which names no condition but shows
it by a drug, a laboratory value, imaging or a procedure; and ``description``, of the baseline:
title and all synonyms.
"""

import random
import re
from collections.abc import Iterable

from longtail_icd.generation.prompts.short_forms import SHORT_FORMS, shortened
from longtail_icd.generation.shards import shuffled

_KNOWN = frozenset(form.lower() for form in SHORT_FORMS.values())
MOST_WORDS = 3  # of a wording that passes as an abbreviation
# Words of a catalogue, which no clinician writes.
_CATALOGUE = {"nos", "nec", "unspec", "unspecified", "init", "initial", "subseq", "subsequent"}
_LINKS = {"and", "of", "the", "in", "with", "to", "or", "due", "for", "by", "on"}
_WORD = re.compile(r"[^\W_]+")


def _initials(wording: str) -> str:
    words = (word for word in _WORD.findall(wording.lower()) if word not in _LINKS)
    return "".join(word[0] for word in words)


def is_abbreviation(wording: str, others: Iterable[str]) -> bool:
    """Return whether a wording is a short form: of at most three words, one of them cut.

    Before → after::

        "CHF", "chf", "acute chf"              → True: a known short form
        "cjd" of "Creutzfeldt-Jakob disease"   → True: its initials
        "LAD", as written                      → True: capitals
        "heart failure", "lad"                 → False

    Args:
        wording: the wording.
        others: title and synonyms of the same code.
    """
    words = _WORD.findall(wording)
    if len(words) > MOST_WORDS or _CATALOGUE.intersection(words):
        return False
    full = {_initials(other) for other in others if other != wording}
    return any(
        word.lower() in _KNOWN
        or (2 <= len(word) <= 6 and word.isalpha() and word.isupper())
        or (len(word) > 2 and word.lower() in full)
        for word in words
    )


def draw_styles(
    codes: list[str], quotas: dict[str, float], generator: random.Random
) -> dict[str, str]:
    """Return the style of each code of one note.

    Titles: floor(share × codes), so never more than their share. Abbreviations and indirect
    evidence: their share of all codes, up or down to a whole number by chance.

    Args:
        codes: of the note.
        quotas: shares by style: title, abbreviation, indirect; together at most 1.
        generator: of the draws.
    """
    order = shuffled(codes, generator)
    titles = int(quotas["title"] * len(codes) + 1e-9)
    styles = dict.fromkeys(order[:titles], "title")
    offset = generator.random()
    for place, code in enumerate(order[titles:]):
        position = (place + offset) / len(codes)
        if position < quotas["abbreviation"]:
            styles[code] = "abbreviation"
        elif position < quotas["abbreviation"] + quotas["indirect"]:
            styles[code] = "indirect"
        else:
            styles[code] = "synonym"
    return styles


def word(style: str, title: str, synonyms: list[str]) -> tuple[str, str]:
    """Return the style that a code can have, and its wording in it.

    The terminology's own short form comes first, then a synonym or the title with known phrases
    shortened. A code without either goes by a synonym, one without synonyms by its title; the
    latter keeps the style ``synonym``, because a writer may know other words. Of indirect
    evidence the wording is what is to be shown.

    Args:
        style: as drawn.
        title: the code's.
        synonyms: the code's, the preferred first.
    """
    if style in ("title", "description"):
        return style, title
    short = [one for one in synonyms if is_abbreviation(one, [title, *synonyms])]
    if style == "abbreviation":
        made = (shortened(one) for one in (*synonyms, title))
        if wording := next((one for one in (*short, *made) if one), None):
            return style, wording
    in_full = [one for one in synonyms if one not in short]
    kept = "indirect" if style == "indirect" else "synonym"
    return kept, [*in_full, *short, title][0]
