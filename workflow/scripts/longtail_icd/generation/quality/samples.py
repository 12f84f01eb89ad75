"""Seeded samples of notes: the same whatever the order of the rows, and the only texts held."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.hashing import hash64
from longtail_icd.generation.screening.words import normalised_words


def by_chance(ids: Iterable[str], purpose: str, seed: int) -> list[str]:
    """Return the ids in a seeded order that depends on the ids alone."""
    return sorted(ids, key=lambda one: (hash64(f"{purpose}|{seed}|{one}"), one))


@dataclass(frozen=True)
class NoteSample:
    """Notes with their codes.

    Attributes:
        ids: of the notes.
        texts: in the order of the ids.
        codes: of each note, sorted.
    """

    ids: list[str]
    texts: list[str]
    codes: list[list[str]]

    @cached_property
    def words(self) -> list[list[str]]:
        """The normalised words of each note."""
        return [normalised_words(text) for text in self.texts]


@dataclass(frozen=True)
class Samples:
    """Three samples of one size, so that what depends on a sample's size can be compared.

    Attributes:
        reference: train notes that both others are held against.
        real: train notes of other patients than the reference's.
        synthetic: notes of a recipe that are ok.
        exemplars: per synthetic note the whole text of its example notes, or nothing.
    """

    reference: NoteSample
    real: NoteSample
    synthetic: NoteSample
    exemplars: dict[str, str | None]

    @property
    def sides(self) -> dict[str, NoteSample]:
        """The two samples that are compared, by name."""
        return {"real": self.real, "synthetic": self.synthetic}


def read_sample(ids: list[str], notes: pl.LazyFrame, labels: pl.LazyFrame, key: str) -> NoteSample:
    """Return the notes with these ids, in their order; no other text is held.

    Args:
        ids: of the notes.
        notes: columns ``key`` and text.
        labels: columns ``key`` and code.
        key: note_id or request_id.
    """
    wanted = pl.col(key).is_in(pl.Series(ids, dtype=pl.String).implode())
    texts = dict(notes.filter(wanted).select(key, "text").collect(engine="streaming").iter_rows())
    grouped = labels.filter(wanted).group_by(key).agg(pl.col("code").unique().sort())
    codes = dict(grouped.collect().iter_rows())
    return NoteSample(ids, [texts[one] for one in ids], [codes.get(one, []) for one in ids])


def draw_ids(
    train: pl.LazyFrame, synthetic: pl.LazyFrame, most: int, seed: int
) -> tuple[list[str], list[str], list[str]]:
    """Return the ids of reference, real and synthetic notes, as many of each.

    The patients of train are halved by a hash, so that no patient is on both sides.

    Args:
        train: a table `corpus/notes`, train split.
        synthetic: a table `generation/notes`.
        most: notes of each.
        seed: of the draw.

    Raises:
        UserError: one of the three has no note.
    """
    patients = train.select("note_id", "patient_id").collect()
    halves: tuple[list[str], list[str]] = ([], [])
    for note_id, patient in patients.iter_rows():
        halves[hash64(f"half|{seed}|{patient}") % 2].append(note_id)
    written = synthetic.filter(status="ok").select("request_id").collect()["request_id"].to_list()
    size = min(most, *map(len, (*halves, written)))
    if not size:
        raise UserError(
            "assess_notes: needs a synthetic note that is ok and train notes of several patients; "
            f"there are {len(written)} and {patients.height} notes"
        )
    reference, real, chosen = (by_chance(ids, "quality", seed)[:size] for ids in (*halves, written))
    return reference, real, chosen
