"""What is done to a document's text, each recipe named for its source.

The tests hold every recipe against its description in Python's regular expressions.
"""

from collections.abc import Callable

import polars as pl

# A longest run of what Python's \w matches, with anything but digits in it.
NOT_PURELY_NUMERIC = r"\p{N}*[\p{L}_][\p{L}\p{N}_]*"


def raw(text: pl.Expr) -> pl.Expr:
    """Leave the text as it is, as GKI-ICD and Edin et al. (2024) do."""
    return text


def mullenbach(text: pl.Expr) -> pl.Expr:
    r"""Return the tokens ``\w+`` in lower case without the purely numeric, by single spaces.

    Mullenbach et al. (2018), the text of CAML.

    Before: ``"Took 250mg (x 3) on [**2101-1-2**]"``. After: ``"took 250mg x on"``.
    """
    return text.str.extract_all(NOT_PURELY_NUMERIC).list.join(" ").str.to_lowercase()


def edin(text: pl.Expr) -> pl.Expr:
    """Return letters and digits in lower case, numbers between words removed.

    Edin et al. (2023), MIMIC-III clean and MIMIC-IV. A number at the very start or end survives,
    as it does there.

    Before: ``"Took 250mg (x 3) for 2 1/2 days, 7"``. After: ``"took 250mg x for days 7"``.
    """
    plain = text.str.to_lowercase().str.replace_all(r"[^A-Za-z0-9]+", " ")
    words = plain.str.replace_all(r"(?: [0-9]+)+ ", " ")
    return words.str.replace_all(" {2,}", " ").str.strip_chars(" ")


TEXT_RECIPES: dict[str, Callable[[pl.Expr], pl.Expr]] = {
    "raw": raw,
    "mullenbach": mullenbach,
    "edin": edin,
}
