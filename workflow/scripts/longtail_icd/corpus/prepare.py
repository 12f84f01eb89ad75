"""Raw tables to the canonical corpus: chooses the adapter, matches codes with documents."""

from pathlib import Path

import polars as pl

from longtail_icd.corpus.codiesp import read_codiesp
from longtail_icd.corpus.mimic3 import read_mimic3
from longtail_icd.corpus.prepared import Prepared


def match(prepared: Prepared, kinds: list[str]) -> Prepared:
    """Drop the codes of admissions without a document; count what is left.

    Documents without codes are kept (CAML's 52,726 of MIMIC-III hold four) and counted.
    """
    labels = prepared.labels.join(
        prepared.notes.select("note_id"), on="note_id", how="semi", maintain_order="left"
    )
    counts = dict(prepared.counts)
    for kind in kinds:
        before = prepared.labels.filter(pl.col("kind") == kind).height
        counts[f"{kind}_kept"] = labels.filter(pl.col("kind") == kind).height
        counts[f"{kind}_without_document"] = before - counts[f"{kind}_kept"]
    without_codes = prepared.notes.join(labels, on="note_id", how="anti").height
    counts["documents_without_codes"] = without_codes
    return Prepared(prepared.notes, labels.sort("note_id", "kind", "position"), counts)


def prepare(
    adapter: str, folder: str | Path, kinds: list[str], notes: str, language: str
) -> Prepared:
    """Read a corpus with one of the adapters.

    Args:
        adapter: ``mimic3`` or ``codiesp``.
        folder: the raw files.
        kinds: ``diagnosis``, ``procedure`` or both.
        notes: ``discharge`` or ``none``.
        language: of the texts; for codiesp.

    Raises:
        UserError: a raw file is missing, malformed or cut off.
    """
    if adapter == "codiesp":
        return match(read_codiesp(folder, kinds, notes, language), kinds)
    return match(read_mimic3(folder, kinds, notes), kinds)
