"""Raw tables to the canonical corpus: chooses the adapter, matches codes with documents."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import write_table
from longtail_icd.corpus import joining as joinings
from longtail_icd.corpus import label_rules
from longtail_icd.corpus.codiesp import read_codiesp
from longtail_icd.corpus.mimic3 import read_mimic3
from longtail_icd.corpus.mimic4 import read_mimic4
from longtail_icd.corpus.prepared import Prepared, Source
from longtail_icd.corpus.prepared_notes import text_batches, write_notes
from longtail_icd.corpus.table import read_table
from longtail_icd.corpus.text_recipes import TEXT_RECIPES
from longtail_icd.corpus.text_store import TextStore


def match(source: Source, kinds: Sequence[str]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the labels of admissions with a document, sorted, and how many others there were.

    Raises:
        UserError: there are no codes, none belongs to a document, or one kind of code comes in
            two code systems.
    """
    if not source.labels.height:
        raise UserError(
            "the corpus has no codes: the code tables (or the column codes) are empty, or hold "
            f"none of corpus.kinds ({', '.join(kinds)}) in corpus.edition"
        )
    labels = source.labels.join(source.documents, on="note_id", how="semi")
    if not labels.height:
        raise UserError(
            f"none of {source.labels.height} codes belongs to one of {source.documents.height} "
            "documents: the ids of the code tables match no note; are they of one release?"
        )
    for kind in kinds:
        versions = labels.filter(kind=kind)["version"].unique().sort()
        if len(versions) > 1:
            raise UserError(
                f"the corpus has codes of kind {kind} in {' and '.join(versions)}; a corpus has "
                "one code system for each kind: split the table by version"
            )
    counts = {}
    for kind in kinds:
        counts[f"{kind}_without_document"] = (
            source.labels.filter(kind=kind).height - labels.filter(kind=kind).height
        )
    return labels.sort("note_id", "kind", "position"), counts


def read_source(
    adapter: str,
    folder: str | Path,
    kinds: list[str],
    notes: str,
    language: str,
    edition: str | None,
    code_separator: str,
    joining: Mapping[str, str],
    store: TextStore,
) -> Source:
    """Read a corpus with one of the adapters; its texts go to ``store``."""
    if adapter == "codiesp":
        return read_codiesp(folder, kinds, notes, language, store)
    if adapter == "mimic4":
        return read_mimic4(folder, kinds, notes, edition, store, joining)
    if adapter == "table":
        return read_table(folder, kinds, notes, edition, code_separator, store)
    return read_mimic3(folder, kinds, notes, store, joining)


def prepare(
    folder: str | Path,
    notes_path: str | Path,
    labels_path: str | Path,
    *,
    adapter: str,
    kinds: list[str],
    notes: str = "discharge",
    language: str = "en",
    edition: str | None = None,
    code_separator: str = ";",
    text: str = "raw",
    joining: Mapping[str, str] = joinings.DEFAULT,
    labels: Mapping[str, Any] = label_rules.DEFAULT,
    code_list: str | Path | None = None,
) -> Prepared:
    """Read a corpus and write the tables corpus/prepared_notes and corpus/labels.

    The texts are never in memory together: they go to an unnamed temporary file beside
    ``notes_path`` as they are read, and from there to the table, a group of documents at a time.

    Args:
        folder: the raw files; for the table adapter, the table.
        notes_path: the table of documents to write.
        labels_path: the table of labels to write.
        adapter: ``mimic3``, ``mimic4``, ``codiesp`` or ``table``.
        kinds: ``diagnosis``, ``procedure`` or both.
        notes: ``discharge`` or ``none``.
        language: of the texts; for codiesp.
        edition: ``icd9`` or ``icd10``; for mimic4 and table.
        code_separator: between the codes of a row; for table.
        text: a recipe of :mod:`longtail_icd.corpus.text_recipes`.
        joining: how notes of one admission become one text; for mimic3 and mimic4.
        labels: which rules of :mod:`longtail_icd.corpus.label_rules`.
        code_list: file with the codes to keep, for the rules ``mullenbach_50``.

    Returns:
        What was written, without the texts, and the counts of what was read and dropped.

    Raises:
        UserError: a raw file is missing, malformed or cut off, or nothing fits together; then
            nothing is written.
    """
    rules = label_rules.rules_of(labels)
    store_folder = Path(notes_path).parent
    store_folder.mkdir(parents=True, exist_ok=True)
    with TemporaryFile(dir=store_folder) as file:
        store = TextStore(file)
        source = read_source(
            adapter, folder, kinds, notes, language, edition, code_separator, joining, store
        )
        matched, without_document = match(source, kinds)
        kept, documents, dropped = label_rules.apply_rules(
            matched, source.documents, kinds, rules, code_list
        )
        if not kept.height:
            raise UserError(
                f"corpus.labels: the rules {labels['rules']} leave no code; a smaller "
                "corpus.labels.min_documents keeps more"
            )
        recipe, separator = TEXT_RECIPES[text], joinings.SEPARATORS[joining["separator"]]
        batches = text_batches(documents, source.parts, store, recipe, separator)
        write_notes(batches, notes_path)
    write_table(kept, labels_path, "corpus/labels")
    of_kind = {f"{kind}_kept": kept.filter(kind=kind).height for kind in kinds}
    counts = {**source.counts, **of_kind, **without_document, **dropped}
    return Prepared(documents, kept, counts)
