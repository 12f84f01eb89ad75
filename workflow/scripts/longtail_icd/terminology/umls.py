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
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

import polars as pl

from longtail_icd.common.errors import UserError

VOCABULARIES = {"ICD9CM": "icd9cm", "ICD10CM": "icd10cm", "ICD10PCS": "icd10pcs"}
BLOCK = 16 * 2**20  # bytes
FIELDS = 18  # each ends with a bar
COLUMNS = "CUI LAT TS LUI STT SUI ISPREF AUI SAUI SCUI SDUI SAB TTY CODE STR SRL SUPPRESS CVF END"
NAMES = COLUMNS.split()
USED = ("CUI", "LAT", "SAB", "CODE", "STR", "SUPPRESS")
SUPPRESS = ("N", "E", "O", "Y")  # not suppressed; by the editors, obsolete, by the source
# The kind of concept that SNOMED CT writes behind its full names.
SEMANTIC_TAG = r"\s*\([a-z][a-z/ ]*\)$"


def _open(path: Path) -> BinaryIO:
    """Open a file, unpacked if it is gzip (whatever its name)."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")


def _blocks(path: Path, size: int) -> Iterator[bytes]:
    """Yield the file in blocks of whole lines."""
    rest = b""
    try:
        with _open(path) as stream:
            while read := stream.read(size):
                end = read.rfind(b"\n") + 1
                if end:
                    yield rest + read[:end]
                    rest = read[end:]
                else:
                    rest += read
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise UserError(
            f"{path}: the gzip stream is cut off or damaged; unpack the UMLS release again"
        ) from None
    if rest:
        yield rest


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


def _rows(block: bytes, first: int, path: Path) -> pl.DataFrame:
    """Return the used columns of a block of lines; ``first`` is its first line's number."""
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    if block.count(b"|") != FIELDS * lines:
        raise _explain(block, first, path)
    try:
        rows = pl.read_csv(
            block,
            separator="|",
            quote_char=None,
            has_header=False,
            schema=dict.fromkeys(NAMES, pl.String),
            columns=[NAMES.index(name) for name in USED],
        )
    except pl.exceptions.PolarsError:
        raise _explain(block, first, path) from None
    if rows.height != lines or not rows["SUPPRESS"].is_in(SUPPRESS).fill_null(False).all():
        raise _explain(block, first, path)
    return rows.filter(pl.col("SUPPRESS") == "N")


def _scan(path: Path, size: int) -> Iterator[pl.DataFrame]:
    """Yield the rows of the file that are not suppressed, block by block."""
    first = 1
    for block in _blocks(path, size):
        yield _rows(block, first, path)
        first += block.count(b"\n")


def _concepts(path: Path, vocabularies: Collection[str], size: int) -> pl.DataFrame:
    """Return the concepts of every code: columns SAB, CODE, CUI."""
    parts = [
        rows.filter(pl.col("SAB").is_in(list(vocabularies))).select("SAB", "CODE", "CUI").unique()
        for rows in _scan(path, size)
    ]
    if not parts:
        raise UserError(f"{path}: the file is empty; it must be the UMLS table MRCONSO.RRF")
    return pl.concat(parts).unique()


def _strings(path: Path, concepts: pl.Series, size: int) -> pl.DataFrame:
    """Return every English string of the concepts: columns CUI, STR."""
    wanted = concepts.unique().to_frame()
    parts = [
        rows.filter((pl.col("LAT") == "ENG") & pl.col("STR").is_not_null())
        .join(wanted, on="CUI", how="semi")
        .select("CUI", "STR")
        .unique()
        for rows in _scan(path, size)
    ]
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
    concepts = _concepts(path, wanted, block)
    if concepts.is_empty():
        raise UserError(
            f"{path}: no code of {', '.join(wanted)}: the UMLS subset was made without these "
            "source vocabularies; install it again with them"
        )
    strings = _strings(path, concepts["CUI"], block)
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
