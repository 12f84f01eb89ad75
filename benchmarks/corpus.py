"""Benchmark of the corpus stage on a simulated hospital: raw CSV to one note per admission.

Simulates a hospital of the layout and size asked for (kept for the next call; its own time is
`simulate_s`), then reads its notes and prepares the corpus. The yardstick does the same, recipe by
recipe, with pandas' C parser: only the columns needed, strings, chunks of 100,000 rows. Both must
agree. `--admissions 52722` is the size of MIMIC-III, `--layout mimic4 --admissions 331676` that of
MIMIC-IV.
"""

import argparse
import sys
import tempfile
import zlib
from functools import partial
from pathlib import Path

from hospital import HOSPITALS, hospital
from measure import measured, report, versus

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

KINDS = ["diagnosis", "procedure"]
NOTES = {"mimic3": "NOTEEVENTS.csv.gz", "mimic4": "note/discharge.csv.gz"}
COLUMNS = {
    "mimic3": "ROW_ID SUBJECT_ID HADM_ID CHARTDATE CHARTTIME CATEGORY DESCRIPTION ISERROR TEXT",
    "mimic4": "note_id subject_id hadm_id text",
}
CHUNK = 100_000  # rows of the yardstick
SAMPLE = 100  # documents whose text is compared


def read_ours(layout, folder):
    """Read the notes' table to its end; return its rows and those of discharge summaries."""
    import polars as pl  # noqa: PLC0415
    from longtail_icd.corpus.raw_tables import scan_raw  # noqa: PLC0415

    rows = kept = 0
    for batch in scan_raw(folder / NOTES[layout], COLUMNS[layout].upper().split()):
        rows += batch.height
        if layout == "mimic3":
            kept += batch.filter(pl.col("CATEGORY") == "Discharge summary").height
    return rows, kept or rows


def read_plainly(layout, folder):
    """Do the same with pandas."""
    import pandas as pd  # noqa: PLC0415

    rows = kept = 0
    columns = COLUMNS[layout].split()
    path = folder / NOTES[layout]
    for chunk in pd.read_csv(path, usecols=columns, dtype=str, chunksize=CHUNK):
        rows += len(chunk)
        if layout == "mimic3":
            kept += len(chunk[chunk["CATEGORY"] == "Discharge summary"])
    return rows, kept or rows


def ours(layout, folder, out):
    """Prepare the corpus and write its two tables."""
    from longtail_icd.corpus.prepare import prepare  # noqa: PLC0415

    paths = out / "notes.parquet", out / "labels.parquet"
    prepare(folder, *paths, adapter=layout, kinds=KINDS, edition="icd10")


def contents(notes, labels):
    """Return a prepared corpus's documents, labels, characters, and a sum over a sample's texts."""
    import polars as pl  # noqa: PLC0415

    texts = pl.scan_parquet(notes).sort("note_id").select("text")
    characters = texts.select(pl.col("text").str.len_chars().sum()).collect().item()
    sample = "".join(texts.head(SAMPLE).collect()["text"])
    documents, rows = (
        pl.scan_parquet(path).select(pl.len()).collect().item() for path in (notes, labels)
    )
    return documents, rows, characters, zlib.crc32(sample.encode())


def _finish(notes, labels, stays, out):
    """Join notes with their stays, keep the codes of documents, write both."""
    documents = notes.merge(stays, on="note_id", how="left").sort_values("note_id")
    labels = labels[labels["note_id"].isin(documents["note_id"])]
    documents.to_parquet(out / "notes_plain.parquet", compression="zstd")
    labels.to_parquet(out / "labels_plain.parquet", compression="zstd")


def plain_mimic3(folder, out):
    """Prepare MIMIC-III with pandas, vectorised, in chunks where a table is large."""
    import pandas as pd  # noqa: PLC0415

    read = partial(pd.read_csv, dtype=str)
    parts = []
    columns = COLUMNS["mimic3"].split()
    for chunk in read(folder / NOTES["mimic3"], usecols=columns, chunksize=CHUNK):
        summaries = chunk["CATEGORY"].str.strip() == "Discharge summary"
        parts.append(chunk[summaries & chunk["ISERROR"].isna() & chunk["HADM_ID"].notna()])
    notes = pd.concat(parts)
    notes["ADDENDUM"] = notes["DESCRIPTION"] == "Addendum"
    notes["ROW_ID"] = notes["ROW_ID"].astype(int)
    notes = notes.sort_values(["HADM_ID", "ADDENDUM", "CHARTTIME", "CHARTDATE", "ROW_ID"])
    texts = notes.groupby("HADM_ID")["TEXT"].agg("\n".join)
    texts = texts.reset_index().rename(columns={"HADM_ID": "note_id", "TEXT": "text"})
    stays = read(folder / "ADMISSIONS.csv.gz", usecols=["HADM_ID", "SUBJECT_ID", "ADMITTIME"])
    people = read(folder / "PATIENTS.csv.gz", usecols=["SUBJECT_ID", "GENDER", "DOB"])
    stays = stays.merge(people, on="SUBJECT_ID").rename(columns={"HADM_ID": "note_id"})
    labels = []
    for name, kind in (("DIAGNOSES_ICD", "diagnosis"), ("PROCEDURES_ICD", "procedure")):
        codes = read(folder / f"{name}.csv.gz", usecols=["HADM_ID", "SEQ_NUM", "ICD9_CODE"]).dropna(
            subset="ICD9_CODE"
        )
        code = codes["ICD9_CODE"].str.strip()
        place = 2 if kind == "procedure" else 3 + code.str.startswith("E").astype(int)
        codes["code"] = _dotted(code, place)
        labels.append(codes.rename(columns={"HADM_ID": "note_id"}).assign(kind=kind))
    labels = pd.concat(labels).drop_duplicates(["note_id", "kind", "code"])
    _finish(texts, labels, stays, out)


def _dotted(code, place):
    """Put a dot behind ``place`` characters (a number, or one per code) where more follow."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    places = pd.Series(place, index=code.index) if np.isscalar(place) else place
    result = code.copy()
    for one in places.unique():
        long = (places == one) & (code.str.len() > one)
        result[long] = code[long].str[:one] + "." + code[long].str[one:]
    return result


def plain_mimic4(folder, out):
    """Prepare the ICD-10 part of MIMIC-IV with pandas; documents are those that have codes."""
    import pandas as pd  # noqa: PLC0415

    read = partial(pd.read_csv, dtype=str)
    labels = []
    for name, kind in (("diagnoses_icd", "diagnosis"), ("procedures_icd", "procedure")):
        columns = ["hadm_id", "seq_num", "icd_code", "icd_version"]
        codes = read(folder / "hosp" / f"{name}.csv.gz", usecols=columns)
        codes = codes[codes["icd_version"] == "10"].dropna(subset="icd_code")
        code = codes["icd_code"].str.strip()
        codes["code"] = code if kind == "procedure" else _dotted(code, 3)
        labels.append(codes.rename(columns={"hadm_id": "note_id"}).assign(kind=kind))
    labels = pd.concat(labels).drop_duplicates(["note_id", "kind", "code"])
    coded = set(labels["note_id"])
    parts = []
    columns = COLUMNS["mimic4"].split()
    for chunk in read(folder / NOTES["mimic4"], usecols=columns, chunksize=CHUNK):
        parts.append(chunk[chunk["hadm_id"].isin(coded)])
    notes = pd.concat(parts)[["hadm_id", "text"]].rename(columns={"hadm_id": "note_id"})
    stays = read(
        folder / "hosp" / "admissions.csv.gz", usecols=["hadm_id", "subject_id", "admittime"]
    )
    people = read(
        folder / "hosp" / "patients.csv.gz", usecols=["subject_id", "gender", "anchor_age"]
    )
    stays = stays.merge(people, on="subject_id").rename(columns={"hadm_id": "note_id"})
    _finish(notes, labels, stays, out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--admissions", type=int, default=1000, help="with a summary")
    parser.add_argument("--layout", choices=sorted(NOTES), default="mimic3")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2, help="of the simulation")
    parser.add_argument("--folder", type=Path, default=HOSPITALS)
    arguments = parser.parse_args()
    layout = arguments.layout
    folder, seconds = hospital(
        layout, arguments.admissions, arguments.seed, arguments.folder, arguments.processes
    )
    plain = {"mimic3": plain_mimic3, "mimic4": plain_mimic4}[layout]
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary)
        read, reading = measured(partial(read_ours, layout, folder))
        read_expected, reading_plain = measured(partial(read_plainly, layout, folder))
        _, figures = measured(partial(ours, layout, folder, out))
        _, whole_plain = measured(partial(plain, folder, out))
        result, expected = (
            measured(partial(contents, out / f"notes{of}.parquet", out / f"labels{of}.parquet"))[0]
            for of in ("", "_plain")
        )
    if (read, result) != (read_expected, expected):
        sys.exit(
            f"benchmark: ours gives {read} and {result}, the yardstick {read_expected} and "
            f"{expected}"
        )
    report(
        stage="corpus",
        **figures,
        notes_per_s=round(result[0] / figures["wall_s"]),
        rows_per_s=round(read[0] / figures["wall_s"]),
        read_s=reading["wall_s"],
        read_speedup=versus(reading, reading_plain)["speedup"],
        **versus(figures, whole_plain),
        layout=layout,
        admissions=arguments.admissions,
        note_rows=read[0],
        plain_wall_s=whole_plain["wall_s"],
        plain_peak_rss_mb=whole_plain["peak_rss_mb"],
        simulate_s=seconds,
    )


if __name__ == "__main__":
    main()
