"""A hospital's own data: one table of notes with their codes, CSV or Parquet."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from longtail_icd.common.codes import SYSTEMS
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import CODE_SYSTEMS, KINDS, SPLITS
from longtail_icd.corpus.code_rows import label_rows
from longtail_icd.corpus.joining import digest_of
from longtail_icd.corpus.prepared import DOCUMENT, Source, first_of_each
from longtail_icd.corpus.raw_tables import copied, scan_raw
from longtail_icd.corpus.text_store import TextStore

COLUMNS = ["note_id", "patient_id", "codes"]
OPTIONAL = ["version", "kind", "time", "sex", "age", "split"]
FACTS = ["patient_id", "time", "sex", "age", "official_split"]
RELEASE = "a table of notes (docs/data.md)"
BATCH = 10_000  # rows of a Parquet table at a time


def _scan_parquet(path: Path, columns: list[str]) -> Iterator[pl.DataFrame]:
    frame = pl.scan_parquet(path)
    try:
        schema = frame.collect_schema()
    except (pl.exceptions.PolarsError, OSError):
        raise UserError(f"{path}: not a readable Parquet file") from None
    names = {name.strip().lower(): name for name in schema}
    for column in columns:
        if column not in names:
            raise UserError(f"{path}: column {column} is missing; {RELEASE} has it")
    wanted = {one: names[one] for one in [*columns, *OPTIONAL] if one in names}
    missing = [pl.lit(None, pl.String).alias(one) for one in OPTIONAL if one not in names]
    chosen = frame.select(*(pl.col(old).alias(new) for new, old in wanted.items()), *missing)
    yield from chosen.collect_batches(chunk_size=BATCH, maintain_order=True)


def _scan(path: Path, notes: str, separator: str) -> Iterator[pl.DataFrame]:
    """Yield the table's rows: codes a list of strings, everything else strings."""
    columns = [*COLUMNS, *(["text"] if notes == "discharge" else [])]
    if path.suffix == ".parquet":
        batches = _scan_parquet(path, columns)
    else:
        batches = scan_raw(path, columns, OPTIONAL, RELEASE)
    for batch in batches:
        listed = pl.col("codes")
        if not isinstance(batch.schema["codes"], pl.List):
            listed = listed.cast(pl.String).str.split(separator)
        yield batch.with_columns(
            pl.exclude("codes").cast(pl.String), codes=listed.cast(pl.List(pl.String))
        )


def _read(path: Path, notes: str, separator: str, store: TextStore) -> tuple[pl.DataFrame, int]:
    """Return the table without its texts, which go to the store, and how many rows lack an id."""
    parts, without_id = [], 0
    for batch in _scan(path, notes, separator):
        rows = batch.filter(pl.col("note_id").str.strip_chars().fill_null("") != "")
        without_id += batch.height - rows.height
        texts = rows["text"] if notes == "discharge" else pl.repeat("", rows.height, eager=True)
        empty = texts.fill_null("") == ""
        parts.append(
            copied(
                rows.select(
                    pl.col("note_id", "patient_id").str.strip_chars(),
                    "codes",
                    pl.col(OPTIONAL).str.strip_chars(),
                    digest=digest_of(texts),
                    empty=empty,
                    stored=store.append(texts),
                )
            )
        )
    if not parts:
        raise UserError(f"{path}: has no rows")
    return pl.concat(parts), without_id


def _system(path: Path, rows: pl.DataFrame, edition: str | None) -> pl.DataFrame:
    """Fill in each row's kind (diagnosis where there is none) and code system.

    Raises:
        UserError: an unknown kind or version, or neither a version nor `corpus.edition`.
    """
    given = pl.col("version").str.to_lowercase()
    kind = pl.col("kind").str.to_lowercase().fill_null("diagnosis")
    default = pl.lit(None, pl.String)
    if edition is not None:
        default = kind.replace_strict(SYSTEMS[edition], default=None, return_dtype=pl.String)
    filled = rows.with_columns(version=given.fill_null(default), kind=kind)
    for column, known in {"kind": KINDS, "version": CODE_SYSTEMS}.items():
        unknown = filled.filter(~pl.col(column).is_in(known).fill_null(False)).height
        if unknown:
            hint = "" if column == "kind" else "; or set corpus.edition and leave it empty"
            raise UserError(
                f"{path}: column {column}: {unknown} rows hold none of {', '.join(known)}{hint}"
            )
    return filled


def _labels(rows: pl.DataFrame, kinds: list[str]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the labels; within a note and kind in the order of the lists."""
    listed = rows.select("note_id", "version", "kind", code="codes").with_columns(
        sequence=pl.int_ranges(pl.col("code").list.len())
    )
    single = listed.explode("code", "sequence", empty_as_null=False, keep_nulls=False)
    parts, counts = [], {f"{kind}_rows": 0 for kind in kinds}
    for kind in kinds:
        for version in CODE_SYSTEMS:
            own = single.filter(kind=kind, version=version)
            if not own.height:
                continue
            labels, dropped = label_rows(own, version, kind)
            parts.append(labels)
            counts |= {reason: counts.get(reason, 0) + n for reason, n in dropped.items()}
    empty = pl.DataFrame(
        schema={
            "note_id": pl.String,
            "code": pl.String,
            "version": pl.String,
            "kind": pl.String,
            "position": pl.Int32,
        }
    )
    return pl.concat([empty, *parts]), counts


def _documents(path: Path, rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row per note: what its rows say of it.

    Raises:
        UserError: rows of one note differ in patient, text or split, or a value is unreadable.
    """
    texts = rows.filter(~pl.col("empty"))
    for column, of_note in {"patient_id": rows, "split": rows, "text": texts}.items():
        value = "digest" if column == "text" else column
        several = of_note.group_by("note_id").agg(pl.col(value).drop_nulls().n_unique())
        differing = several.filter(pl.col(value) > 1).height
        if differing:
            raise UserError(
                f"{path}: {differing} notes have rows that differ in column {column}; a note has "
                "one (rows that only add codes may leave it empty)"
            )
    facts = rows.select(
        "note_id",
        "patient_id",
        time=pl.col("time").str.to_datetime(time_unit="us", strict=False),
        sex=pl.col("sex").str.to_uppercase(),
        age=pl.col("age").cast(pl.Float64, strict=False),
        official_split="split",
    )
    for column in ("time", "age"):
        unreadable = (rows[column].is_not_null() & facts[column].is_null()).sum()
        if unreadable:
            raise UserError(f"{path}: column {column}: {unreadable} values cannot be read")
    if not facts["official_split"].drop_nulls().is_in(SPLITS).all():
        raise UserError(f"{path}: column split: only {', '.join(SPLITS)} or nothing")
    # Each fact from the first row that has one, in an order that is not the file's.
    documents = first_of_each(facts, "note_id").select("note_id")
    for fact in FACTS:
        of_note = first_of_each(facts.select("note_id", fact).drop_nulls(), "note_id")
        documents = documents.join(of_note, on="note_id", how="left", maintain_order="left")
    without = documents["patient_id"].null_count()
    if without:
        raise UserError(f"{path}: {without} notes have no patient_id; splits go by patient")
    return documents.sort("note_id")


def read_table(
    path: str | Path,
    kinds: list[str],
    notes: str,
    edition: str | None,
    separator: str,
    store: TextStore,
) -> Source:
    """Read a table of note_id, patient_id, text and codes.

    Before: ``note_id n1, patient_id p1, text "Chest pain.", codes "I21.9;I10"``. After: a document
    n1 and its two labels. A second row of n1 may add codes of another kind.

    Args:
        path: ``.parquet``, or CSV with quoted texts (``.csv``, ``.csv.gz``); a header.
        kinds: of codes to keep.
        notes: ``discharge``, or ``none``: texts are not read.
        edition: ``icd9`` or ``icd10``: of rows whose column version is empty or missing.
        separator: between the codes of a row, unless they are a list.
        store: takes the texts.

    Raises:
        UserError: a column is missing, or the rows contradict each other.
    """
    path = Path(path)
    rows, without_id = _read(path, notes, separator, store)
    rows = _system(path, rows, edition)
    documents = _documents(path, rows)
    labels, counts = _labels(rows, kinds)
    texts = rows.filter(~pl.col("empty")).unique("note_id", keep="first", maintain_order=True)
    counts |= {
        "note_rows": rows.height + without_id,
        "note_without_id": without_id,
        "note_kept": rows.height,
        "documents_without_text": documents.height - texts.height,
    }
    return Source(
        documents.select(list(DOCUMENT)), texts.select("note_id", "stored"), labels, counts
    )
