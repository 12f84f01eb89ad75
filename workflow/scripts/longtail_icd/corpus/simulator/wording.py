"""How the simulated hospital words its codes.

Each code has a few wordings, used with skewed frequency, as a ward has its habits. Each wording
is *shared* with probability ``overlap``, else *private*:

- shared: what the public sources call the code too (short title, title of the ICD-10-CM code it
  maps to, an inclusion term of that code), in the form in which a clinician would write it; in
  one of twenty cases the official title itself. The terminology stage offers all of these as
  titles or synonyms.
- private: an abbreviation made of the title's initials, or indirect evidence: an invented drug or
  finding (of a diagnosis), device or technique (of a procedure). No public source has any of
  these words, so nothing but training notes can teach them.

Overlap is the expected share of mentions that are shared. With 0 every wording is indirect
evidence (an abbreviation still tells a title's initials), so that knowledge of titles and
synonyms says nothing about this hospital: the negative control. With 1 all wordings are shared.
"""

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from longtail_icd.common.code_systems import icd10_titles, icd10cm_tree
from longtail_icd.common.wordings import lowered, spoken
from longtail_icd.corpus.simulator.pseudo_words import pseudo_word

WORDINGS = 4  # draws per code; equal draws add up
SKEW = 1.0  # the n-th wording is used in proportion to n ** -SKEW
OFFICIAL = 0.05  # share of the official title among shared wordings
ABBREVIATION = 0.3  # share of abbreviations among private wordings
LONGEST = 10  # words of a shared wording
EVIDENCE = {"diagnosis": ("drug", "finding"), "procedure": ("device", "technique")}
STOP_WORDS = frozenset(
    word
    for line in (
        "a an and or of the in on to for with without by from due as",
        "other unspecified not elsewhere classified specified mention",
    )
    for word in line.split()
)


@dataclass(frozen=True)
class Wording:
    """One way to name a code: ``sort`` is name, abbreviation or the kind of evidence."""

    text: str
    sort: str
    shared: bool


def vocabulary(wordings: pl.DataFrame) -> frozenset[str]:
    """Return every lower-case token of the public wordings of all codes."""
    tokens = wordings.select(pl.col("wording").str.to_lowercase().str.extract_all(r"[a-z0-9]+"))
    return frozenset(tokens.explode("wording")["wording"].drop_nulls())


def shared_wordings(pool: pl.DataFrame, wordings: pl.DataFrame) -> dict[tuple[str, str], list[str]]:
    """Return (kind, code) → what the public sources call it, official titles aside.

    A wording that two codes of the pool share says which of them no better than chance and is
    left out.
    """
    key = ["kind", "code"]
    names = (
        wordings.join(pool.select(*key, "title"), on=key)
        .with_columns(wording=spoken(pl.col("wording")))
        .filter(pl.col("wording") != lowered(pl.col("title")))
        .filter(pl.col("wording").str.len_chars() >= 3)
        .filter(pl.col("wording").str.count_matches(" ") < LONGEST)
        .select(*key, "wording")
        .unique()
        .filter(pl.len().over("wording") == 1)
        .sort(*key, "wording")
    )
    grouped = names.group_by(key, maintain_order=True).agg("wording")
    return {(kind, code): texts for kind, code, texts in grouped.iter_rows()}


def abbreviation(title: str) -> str | None:
    """Return the initials of a title's words that say something, or None if they are under three.

    Before: ``"Acute kidney failure, unspecified"``. After: ``"AKF"``.
    """
    words = [word for word in re.findall(r"[A-Za-z]+", title) if word.lower() not in STOP_WORDS]
    initials = "".join(word[0].upper() for word in words[:5])
    return initials if len(initials) >= 3 else None


def _private(
    rng: np.random.Generator, evidence: list[Wording], short: str | None, abbreviated: float
) -> Wording:
    if short and rng.random() < abbreviated:
        return Wording(short, "abbreviation", shared=False)
    return evidence[rng.integers(len(evidence))]


def _shared(rng: np.random.Generator, names: list[str], official: str) -> Wording:
    if not names or rng.random() < OFFICIAL:
        return Wording(official, "name", shared=True)
    return Wording(names[rng.integers(len(names))], "name", shared=True)


def icd10_wordings() -> pl.DataFrame:
    """Return title and inclusion terms of ICD-10 codes: columns kind, code, wording."""
    terms = icd10cm_tree().select("code", wording="inclusion_terms")
    diagnoses = pl.concat(
        [
            icd10_titles("icd10cm").select("code", wording="title"),
            terms.explode("wording", empty_as_null=False),
        ]
    )
    procedures = icd10_titles("icd10pcs").select("code", wording="title")
    return pl.concat(
        [
            diagnoses.select("code", "wording", kind=pl.lit("diagnosis")),
            procedures.select("code", "wording", kind=pl.lit("procedure")),
        ]
    )


def draw_wordings(
    rng: np.random.Generator,
    pool: pl.DataFrame,
    overlap: float,
    public: pl.DataFrame,
    taken: set[str],
) -> list[list[tuple[Wording, float]]]:
    """Draw each code's wordings with their frequencies.

    Args:
        rng: source of chance.
        pool: columns kind, code, title.
        overlap: probability that a wording is shared.
        public: columns kind, code, wording: what the public sources call the codes.
        taken: words that no code may invent; grows by every word invented or abbreviated, so that
            no two codes share one. Begins as the :func:`vocabulary` of the public wordings.

    Returns:
        For each code of the pool its wordings with probabilities that sum to 1.
    """
    names = shared_wordings(pool, public)
    abbreviated = ABBREVIATION if overlap > 0 else 0.0
    share = np.arange(1, WORDINGS + 1) ** -SKEW
    share /= share.sum()
    drawn = []
    for kind, code, title in pool.select("kind", "code", "title").iter_rows():
        evidence = [
            Wording(pseudo_word(f"{kind}/{code}/{sort}", taken), sort, shared=False)
            for sort in EVIDENCE[kind]
        ]
        short = abbreviation(title)
        short = short if short and short.lower() not in taken else None
        taken.update(one.text for one in evidence)
        taken.update([short.lower()] if short else [])
        mixed: dict[Wording, float] = {}
        for weight in share:
            if rng.random() < overlap:
                wording = _shared(rng, names.get((kind, code), []), title.lower())
            else:
                wording = _private(rng, evidence, short, abbreviated)
            mixed[wording] = mixed.get(wording, 0.0) + float(weight)
        drawn.append(list(mixed.items()))
    return drawn
