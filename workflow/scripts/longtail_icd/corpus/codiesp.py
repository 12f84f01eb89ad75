"""CodiEsp: real case reports with ICD-10-CM diagnoses and ICD-10-PCS procedures.

Miranda-Escalada et al., CLEF eHealth 2020. The coders used CIE-10-ES, the Spanish edition of
both code systems.
"""

from collections.abc import Collection
from pathlib import Path

import polars as pl

from longtail_icd.common.code_systems import icd10cm_tree
from longtail_icd.common.codes import SYSTEMS, dotted
from longtail_icd.common.errors import UserError
from longtail_icd.corpus.prepared import DOCUMENT, NO_PARTS, Source
from longtail_icd.corpus.raw_files import SPLITS, codiesp_files, codiesp_table, codiesp_texts
from longtail_icd.corpus.text_store import TextStore

VERSIONS = SYSTEMS["icd10"]
CATEGORY_LENGTH = 3


def _read_utf8(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a text in UTF-8; download the corpus again") from None


def _read_rows(path: Path, kind: str) -> pl.DataFrame:
    """Return note_id, code and line number of a table ``docID<TAB>code`` without header."""
    lines = _read_utf8(path).splitlines()
    rows = [line.split("\t") for line in lines]
    for number, row in enumerate(rows, start=1):
        if len(row) != 2 or not row[0].strip():
            raise UserError(
                f"{path}: line {number} is not `docID<TAB>code`; the file is cut off or no table "
                "of CodiEsp; download the corpus again"
            )
    schema = {"note_id": pl.String, "code": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").select(
        note_id=pl.col("note_id").str.strip_chars(),
        code=dotted(pl.col("code"), VERSIONS[kind], kind),
        line=pl.int_range(pl.len(), dtype=pl.Int64),
    )


def strip_fillers(code: str, valid: Collection[str]) -> str:
    """Return the longest valid prefix of a diagnosis that ends in fillers X.

    CIE-10-ES codes are at times cut before the seventh character, fillers kept. A code without a
    valid prefix is returned as it is: the terminology has a fallback for unknown codes.

    Before: ``T81.4XX``, ``W19.XXX``, ``S06.9X`` (valid as it is), ``Z99.Q``.
    After: ``T81.4``, ``W19``, ``S06.9X``, ``Z99.Q``.
    """
    prefix = code
    while prefix not in valid and prefix[-1] in "X." and len(prefix) > CATEGORY_LENGTH:
        prefix = prefix[:-1]
    return prefix if prefix in valid else code


def _strip_all_fillers(codes: pl.Series) -> pl.DataFrame:
    """Return the distinct codes beside their form without fillers."""
    distinct = codes.drop_nulls().unique().sort()
    if not distinct.str.ends_with("X").any():
        return pl.DataFrame({"code": distinct, "stripped": distinct})
    valid = set(icd10cm_tree()["code"])
    return pl.DataFrame({"code": distinct, "stripped": [strip_fillers(c, valid) for c in distinct]})


def _read_labels(folder: Path, kind: str) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the labels of one kind over all splits, each code of a document once."""
    raw = pl.concat([_read_rows(codiesp_table(folder, split, kind), kind) for split in SPLITS])
    coded = raw.filter(pl.col("code") != "")
    counts = {f"{kind}_rows": raw.height, f"{kind}_without_code": raw.height - coded.height}
    if kind == "diagnosis":
        forms = _strip_all_fillers(coded["code"])
        coded = coded.join(forms, on="code", how="left", maintain_order="left")
        counts["diagnosis_fillers_stripped"] = int((coded["code"] != coded["stripped"]).sum())
        coded = coded.select("note_id", "line", code="stripped")
    labels = coded.sort("note_id", "line", maintain_order=True)
    once = labels.unique(["note_id", "code"], keep="first", maintain_order=True)
    counts[f"{kind}_repeated"] = labels.height - once.height
    position = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("note_id")
    return once.select(
        "note_id",
        "code",
        version=pl.lit(VERSIONS[kind]),
        kind=pl.lit(kind),
        position=position,
    ), counts


def _read_texts(folder: Path, split: str, language: str) -> pl.DataFrame:
    """Return note_id and text of a split's text files, in the order of their names."""
    paths = sorted(codiesp_texts(folder, split, language).glob("*.txt"))
    rows = [(path.stem, _read_utf8(path)) for path in paths]
    schema = {"note_id": pl.String, "text": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        official_split=pl.lit(split)
    )


def _read_split(
    folder: Path, split: str, kinds: list[str], notes: str, language: str
) -> pl.DataFrame:
    """Return note_id, text and official_split of a split's documents.

    Raises:
        UserError: a table names a document without a text.
    """
    rows = pl.concat([_read_rows(codiesp_table(folder, split, kind), kind) for kind in kinds])
    listed = rows.select(pl.col("note_id").unique().sort())
    if notes == "none":
        return listed.with_columns(text=pl.lit(""), official_split=pl.lit(split))
    texts = _read_texts(folder, split, language)
    missing = listed.join(texts, on="note_id", how="anti", maintain_order="left")["note_id"]
    if len(missing):
        raise UserError(
            f"{codiesp_texts(folder, split, language)}: no {missing[0]}.txt, which the tables of "
            f"{split} name ({len(missing)} texts are missing); download the corpus again"
        )
    return texts


def _read_documents(folder: Path, kinds: list[str], notes: str, language: str) -> pl.DataFrame:
    """Return the documents with their texts, sorted by note_id; each a patient of its own.

    Raises:
        UserError: a document without a text, or in two splits.
    """
    parts = [_read_split(folder, split, kinds, notes, language) for split in SPLITS]
    documents = pl.concat(parts).sort("note_id")
    repeated = documents.filter(pl.col("note_id").is_duplicated())["note_id"]
    if len(repeated):
        raise UserError(
            f"{folder}: document {repeated[0]} is in two splits; download the corpus again"
        )
    return documents.with_columns(
        patient_id="note_id",
        time=pl.lit(None, dtype=pl.Datetime("us")),
        sex=pl.lit(None, dtype=pl.String),
        age=pl.lit(None, dtype=pl.Float64),
    )


def read_codiesp(
    folder: str | Path, kinds: list[str], notes: str, language: str, store: TextStore
) -> Source:
    """Read the official layout: per split ``{split}D.tsv``, ``{split}P.tsv`` and a text folder.

    A document is a patient of its own; time, sex and age are unknown. Texts without a code stay.
    The unlabelled background texts are not read.

    Args:
        folder: holds ``train``, ``dev`` and ``test``.
        kinds: of codes to keep.
        notes: ``discharge`` reads the texts, ``none`` leaves them empty.
        language: ``en`` (machine translation) or ``es`` (original).
        store: takes the texts.

    Raises:
        UserError: a file is missing or malformed, or a table names a document without a text.
    """
    folder = Path(folder)
    codiesp_files(folder, kinds, notes, language)
    documents = _read_documents(folder, kinds, notes, language)
    parts, counts = [], {}
    for kind in kinds:
        labels, dropped = _read_labels(folder, kind)
        parts.append(labels)
        counts |= dropped
    texts = NO_PARTS
    if notes == "discharge":
        texts = documents.select("note_id", stored=store.append(documents["text"]))
    return Source(documents.select(list(DOCUMENT)), texts, pl.concat(parts), counts)
