"""The rows of NOTEEVENTS: discharge summaries among everything else that a ward writes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from longtail_icd.corpus.simulator.mimic_tables import mimic_table
from longtail_icd.corpus.simulator.prose import pick
from longtail_icd.corpus.simulator.summaries import Block, Scribe, masked

WITHOUT_ADMISSION = 0.15  # share of notes of other categories that belong to no admission
MARKED_AS_ERROR = 0.0005  # share of those of a hospital at full size (ours)
SCHEMA_OF_IDS = {"SUBJECT_ID": pl.Int64, "HADM_ID": pl.Int64}
SCHEMA = {
    **SCHEMA_OF_IDS,
    "CHARTDATE": pl.Datetime("us"),
    "CHARTTIME": pl.Datetime("us"),
    "CATEGORY": pl.String,
    "DESCRIPTION": pl.String,
    "ISERROR": pl.String,
    "TEXT": pl.String,
}


def _row(
    admission: Mapping[str, Any], category: str, description: str, text: str
) -> dict[str, Any]:
    return {
        "SUBJECT_ID": admission["SUBJECT_ID"],
        "HADM_ID": admission["HADM_ID"],
        "CHARTDATE": admission["DISCHTIME"].replace(hour=0, minute=0),
        "CATEGORY": category,
        "DESCRIPTION": description,
        "TEXT": text,
    }


class NoteEvents:
    """Writes the notes of a block as rows of MIMIC-III's NOTEEVENTS."""

    quotes = "non_numeric"  # as in the release

    def __init__(self, scribe: Scribe, parameters: Mapping[str, Any]):
        """Keep what all blocks share.

        Args:
            scribe: writes the summaries.
            parameters: addenda, other_notes, chart and block of `corpus.simulation`.
        """
        self._scribe = scribe
        self._addenda = parameters["addenda"]
        self._other_notes = parameters["other_notes"]
        self._words = parameters["chart"]["words"] if parameters["chart"] else 0
        # ROW_IDs set aside per block: far more than its notes, so that no block waits for another.
        self._row_ids = parameters["block"] * 10 * (3 + round(self._other_notes))

    def _short_notes(
        self, rng: np.random.Generator, admission: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Write the notes of other categories of one admission, a sentence each."""
        rows = []
        texts = self._scribe.prose["other_notes"]
        for _ in range(rng.poisson(self._other_notes)):
            category = pick(rng, list(texts))
            text = f"[**{masked(admission['ADMITTIME'])}**]\n{pick(rng, texts[category])}"
            row = _row(admission, category, "Report", text)
            row["CHARTDATE"] = admission["ADMITTIME"].replace(hour=0, minute=0)
            row["HADM_ID"] = None if rng.random() < WITHOUT_ADMISSION else admission["HADM_ID"]
            rows.append(row)
        return rows

    def _long_notes(
        self, rng: np.random.Generator, admissions: list[dict[str, Any]]
    ) -> pl.DataFrame:
        """Write the notes of other categories of a whole block, as long as a ward's are."""
        owner = np.repeat(
            np.arange(len(admissions)), rng.poisson(self._other_notes, len(admissions))
        )
        size = len(owner)
        minutes = rng.integers(0, 10_000, size).tolist()
        times = [
            admissions[one]["ADMITTIME"] + timedelta(minutes=after)
            for one, after in zip(owner.tolist(), minutes, strict=True)
        ]
        chart = self._scribe.chart
        lost, error = rng.random(size) < WITHOUT_ADMISSION, rng.random(size) < MARKED_AS_ERROR
        frame = pl.DataFrame(
            {
                "SUBJECT_ID": [admissions[one]["SUBJECT_ID"] for one in owner.tolist()],
                "HADM_ID": [admissions[one]["HADM_ID"] for one in owner.tolist()],
                "CHARTTIME": pl.Series(times, dtype=pl.Datetime("us")),
                "CATEGORY": chart.draw_categories(rng, size),
                "TEXT": chart.draw_texts(rng, size, self._words),
            },
            schema_overrides=SCHEMA_OF_IDS,
        )
        return frame.with_columns(
            pl.when(pl.Series(~lost)).then("HADM_ID"),
            CHARTDATE=pl.col("CHARTTIME").dt.truncate("1d"),
            DESCRIPTION=pl.lit("Report"),
            ISERROR=pl.when(pl.Series(error)).then(pl.lit("1")),
        )

    def frame(self, rng: np.random.Generator, block: Block) -> pl.DataFrame:
        """Write every note of the block, in no order of time, as in the release."""
        rows = []
        lengths = self._scribe.draw_lengths(rng, block)
        for admission, own, words in zip(block.admissions, block.labels, lengths, strict=True):
            text = self._scribe.summary(rng, admission, own, words)
            rows.append(_row(admission, "Discharge summary", "Report", text))
            if rng.random() < self._addenda:
                addendum = f"Addendum:\n{pick(rng, self._scribe.prose['addenda'])}\n"
                rows.append(_row(admission, "Discharge summary", "Addendum", addendum))
            if self._scribe.chart is None:
                rows.extend(self._short_notes(rng, admission))
        notes = pl.DataFrame(rows, schema=SCHEMA)
        if self._scribe.chart is not None:
            others = self._long_notes(rng, block.admissions)
            notes = pl.concat([notes, others.select(list(SCHEMA))])
        numbered = notes.with_row_index("ROW_ID", offset=1 + block.number * self._row_ids)
        shuffled = numbered[rng.permutation(notes.height)].with_columns(
            pl.col("CHARTDATE").dt.strftime("%Y-%m-%d")
        )
        return mimic_table(shuffled, "NOTEEVENTS")
