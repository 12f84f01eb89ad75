"""Synonyms from the UMLS: the table MRCONSO.RRF, read as a stream.

A code of a classification names a concept (CUI), and every English string of that concept is
another name of the code: the way of MSMN (Yuan et al. 2022) and GKI-ICD. Unlike there, suppressed
rows are left out and a code keeps all its concepts, not the last alone.

The file (over 2 GB, or gzip) is read twice in blocks of lines: once for the concepts of the
codes, once for their strings. What is held is the codes' share of it, and one block. The UMLS is
licensed: the file is the user's own, and no part of it belongs to this project.
"""

import gzip
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import polars as pl

from longtail_icd.common.errors import UserError

VOCABULARIES = {"ICD9CM": "icd9cm", "ICD10CM": "icd10cm", "ICD10PCS": "icd10pcs"}
BLOCK = 8 * 2**20  # bytes
FIELDS = 18  # each ends with a bar
COLUMNS = "CUI LAT TS LUI STT SUI ISPREF AUI SAUI SCUI SDUI SAB TTY CODE STR SRL SUPPRESS CVF END"
NAMES = COLUMNS.split()
SUPPRESS = ("N", "E", "O", "Y")  # not suppressed; by the editors, obsolete, by the source
# The kind of concept that SNOMED CT writes behind its full names.
SEMANTIC_TAG = r"\s*\([a-z][a-z/ ]*\)$"


def _open(path: Path) -> BinaryIO:
    """Open a file, unpacked if it is gzip (whatever its name)."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    """Yield the file in blocks of whole lines, of at least ``size`` bytes each but the last."""
    try:
        with _open(path) as stream:
            while block := stream.read(size):
                yield block + stream.readline()
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise UserError(
            f"{path}: the gzip stream is cut off or damaged; unpack the UMLS release again"
        ) from None


def _explain(block: bytes, first: int, path: Path) -> UserError:
    """Find the line that makes a block unreadable; never quote it."""
    remedy = "the file is cut off or no MRCONSO.RRF; unpack the UMLS release again"
    place = NAMES.index("SUPPRESS")
    for number, line in enumerate(block.splitlines(), start=first):
        fields = line.split(b"|")
        if len(fields) != FIELDS + 1:
            return UserError(
                f"{path}: line {number} has {len(fields) - 1} fields, not {FIELDS}; {remedy}"
            )
        if fields[place].decode("latin-1") not in SUPPRESS:
            return UserError(
                f"{path}: line {number}: field SUPPRESS is none of {', '.join(SUPPRESS)}; {remedy}"
            )
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return UserError(f"{path}: line {number} is not UTF-8; {remedy}")
    return UserError(f"{path}: lines from {first} on cannot be read; {remedy}")


def _rows(block: bytes, first: int, path: Path, columns: Collection[str]) -> pl.DataFrame:
    """Return columns of a block of lines; ``first`` is the number of its first line."""
    lines, rest = divmod(block.count(b"|"), FIELDS)
    if rest:
        raise _explain(block, first, path)
    try:
        rows = pl.read_csv(
            block,
            separator="|",
            quote_char=None,
            has_header=False,
            schema=dict.fromkeys(NAMES, pl.String),
            columns=[NAMES.index(name) for name in columns],
        )
    except pl.exceptions.PolarsError:
        raise _explain(block, first, path) from None
    if rows.height != lines or not rows["SUPPRESS"].is_in(SUPPRESS).fill_null(False).all():
        raise _explain(block, first, path)
    return rows


def _select(path: Path, size: int, wanted: pl.Expr, columns: Sequence[str]) -> pl.DataFrame:
    """Return the wanted rows of the file that are not suppressed, each once."""
    parts = []
    first = 1
    used = sorted({*columns, *wanted.meta.root_names(), "SUPPRESS"})
    for block in _blocks(path, size):
        rows = _rows(block, first, path, used)
        first += rows.height
        kept = rows.lazy().filter(wanted & (pl.col("SUPPRESS") == "N")).select(columns)
        parts.append(kept.unique().collect())
    if not parts:
        raise UserError(f"{path}: the file is empty; it must be the UMLS table MRCONSO.RRF")
    return pl.concat(parts).unique()


def read_umls(path: str | Path, versions: Collection[str], block: int = BLOCK) -> pl.DataFrame:
    """Return what the UMLS calls each code, through the code's concepts.

    Args:
        path: MRCONSO.RRF, plain or gzip.
        versions: code systems, for example ``["icd9cm"]``.
        block: bytes read at a time.

    Returns:
        Columns version, code, wording (without SNOMED CT's semantic tag), source ``umls``;
        sorted, each once.

    Raises:
        UserError: a malformed line, with its number; a damaged gzip stream; a file without a
            single code of the wanted systems.
    """
    path = Path(path)
    wanted = [name for name, version in VOCABULARIES.items() if version in versions]
    concepts = _select(path, block, pl.col("SAB").is_in(wanted), ["SAB", "CODE", "CUI"])
    if concepts.is_empty():
        raise UserError(
            f"{path}: no code of {', '.join(wanted)}: the UMLS subset was made without these "
            "source vocabularies; install it again with them"
        )
    named = pl.col("CUI").is_in(concepts["CUI"].unique().implode()) & pl.col("STR").is_not_null()
    strings = _select(path, block, named & (pl.col("LAT") == "ENG"), ["CUI", "STR"])
    return (
        concepts.join(strings, on="CUI")
        .select(
            version=pl.col("SAB").replace_strict(VOCABULARIES),
            code=pl.col("CODE").str.strip_chars(),
            wording=pl.col("STR").str.replace(SEMANTIC_TAG, ""),
            source=pl.lit("umls"),
        )
        .unique()
        .sort("version", "code", "wording")
    )
