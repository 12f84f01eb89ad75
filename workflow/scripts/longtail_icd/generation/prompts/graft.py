"""Evidence of a rare code written into a real note: which note, and where in it."""

import random
import re
from itertools import zip_longest

import polars as pl

from longtail_icd.generation.shards import pick
from longtail_icd.plan.excerpts import passages_of

# What the writer sees of the note around the place: enough for style, short for throughput.
CONTEXT_BEFORE = 1200
CONTEXT_AFTER = 600
_HEADING = re.compile(r"(?m)^[ \t]*([A-Z][A-Za-z/&' -]{2,50}):")
# Sections that may hold new evidence of a code of this kind.
_FITTING = {
    "diagnosis": re.compile(r"\b(course|present illness|hpi|assessment|impression|reason)\b", re.I),
    "procedure": re.compile(r"\b(procedures?|interventions?|operations?|course)\b", re.I),
}


def _sections(text: str) -> list[tuple[str, int, int]]:
    """Return heading, start and end of each section."""
    headings = list(_HEADING.finditer(text))
    return [
        (heading[1], heading.end(), following.start() if following else len(text))
        for heading, following in zip_longest(headings, headings[1:])
    ]


def _sentence_ends(text: str) -> list[int]:
    spans = passages_of(pl.Series([text])).select("start", "end").iter_rows()
    sentences = (text[:end].rstrip() for start, end in spans if text[start:end].strip())
    return [len(one) for one in sentences if one[-1] in ".!?"]


def place_of(text: str, kind: str, generator: random.Random) -> int:
    """Return after which character of a note evidence for a code of this kind may stand.

    The end of a sentence in a fitting section; where no section fits, the end of any sentence;
    without sentences, the end of the text.

    Args:
        text: the note.
        kind: ``diagnosis`` or ``procedure``.
        generator: draws one of the places.
    """
    fitting = [(start, end) for name, start, end in _sections(text) if _FITTING[kind].search(name)]
    ends = _sentence_ends(text)
    inside = [one for one in ends if any(start < one <= end for start, end in fitting)]
    return pick(inside or ends or [len(text.rstrip())], generator)


def around(text: str, place: int) -> tuple[str, str]:
    """Return the text before and after the place, with a blank where the written text begins.

    Before: ``No pain. Home.`` and 8. After: ``No pain. `` and `` Home.``.
    """
    return text[:place] + " ", text[place:]


def with_carriers(
    code_sets: pl.DataFrame, exemplars: pl.DataFrame, labels: pl.DataFrame, tiers: pl.DataFrame
) -> pl.DataFrame:
    """Return the code sets with the note that carries the evidence as ``note_id``.

    The note is the one that the code set comes from, or else the best exemplar; its codes and the
    anchor replace the planned codes. Requests without a note are left out, and counted.

    Before: anchor 428.21, whose set is that of note 7, {428.0, 401.9}, with 428.0 swapped for it.
    After: note 7 with {401.9, 428.0, 428.21}.

    Args:
        code_sets: a table `plan/code_sets`.
        exemplars: a table `plan/exemplars` with the same requests.
        labels: a table `corpus/labels`, train split.
        tiers: a table `plan/tiers`, the label space.
    """
    best = exemplars.select("request_id", best=pl.col("exemplar_note_ids").list.first())
    carried = code_sets.join(best, on="request_id", how="left", maintain_order="left").with_columns(
        note_id=pl.coalesce("source_note_id", "best")
    )
    kept = carried.filter(pl.col("note_id").is_not_null())
    if left_out := len(carried) - len(kept):
        print(f"warning: {left_out} requests are left out: no real note to write into")
    inside = labels.join(tiers, on=["version", "code"], how="semi")
    of_note = inside.group_by("note_id").agg(own="code")
    own = pl.col("own").fill_null(pl.lit([], pl.List(pl.String)))
    return (
        kept.join(of_note, on="note_id", how="left", maintain_order="left")
        .with_columns(codes=pl.concat_list(own, "anchor").list.unique().list.sort())
        .select(*code_sets.columns, "note_id")
    )
