"""What is done to a document's text, each recipe named for its source.

The tests hold every recipe against the source's own regular expressions, row by row.
"""

from collections.abc import Callable

import polars as pl

NEITHER_LETTER_NOR_DIGIT = r"[^\p{L}\p{N}_]+"  # what Python's \W matches


def raw(text: pl.Expr) -> pl.Expr:
    """Leave the text as it is, as GKI-ICD and Edin et al. (2024) do."""
    return text


def mullenbach(text: pl.Expr) -> pl.Expr:
    r"""Return the tokens ``\w+`` in lower case without the purely numeric, by single spaces.

    Mullenbach et al. (2018), the text of CAML.

    Before: ``"Took 250mg (x 3) on [**2101-1-2**]"``. After: ``"took 250mg x on"``.
    """
    # Each token between blanks of its own, so that matches of neighbours do not overlap.
    apart = pl.concat_str(
        pl.lit(" "), text.str.replace_all(NEITHER_LETTER_NOR_DIGIT, "  "), pl.lit(" ")
    )
    words = apart.str.replace_all(r" \p{N}+ ", "")
    return words.str.replace_all(" {2,}", " ").str.strip_chars(" ").str.to_lowercase()


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
