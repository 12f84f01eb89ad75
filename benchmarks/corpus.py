"""Benchmark of the corpus stage on made-up MIMIC-III tables: raw CSV to one note per admission.

Writes a hospital with notes of every category, then prepares and splits it. The yardstick does
the same with pandas on whole tables (filter, sort, group, join); both must agree.
`--admissions 52726 --others 30` comes near the size of MIMIC-III.
"""

import argparse
import gzip
import random
import sys
import tempfile
from functools import partial
from pathlib import Path

from measure import measured, report, versus

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

WORDS_PER_NOTE = 1500  # of a discharge summary of MIMIC-III
CODES_PER_NOTE = 16
ADDENDUM = 0.1
KINDS = ["diagnosis", "procedure"]


def write_tables(folder, admissions, others, seed):
    """Write NOTEEVENTS, the code tables, ADMISSIONS and PATIENTS, gzipped; one stay per patient."""
    draw = random.Random(seed)
    words = [f"word{number}" for number in range(20_000)]
    pages = [" ".join(draw.choices(words, k=WORDS_PER_NOTE)) + "\nend" for _ in range(200)]
    short = [" ".join(draw.choices(words, k=150)) for _ in range(200)]
    lines = {
        "NOTEEVENTS": [
            "ROW_ID,SUBJECT_ID,HADM_ID,CHARTDATE,CHARTTIME,CATEGORY,DESCRIPTION,ISERROR,TEXT"
        ],
        "DIAGNOSES_ICD": ["ROW_ID,SUBJECT_ID,HADM_ID,SEQ_NUM,ICD9_CODE"],
        "PROCEDURES_ICD": ["ROW_ID,SUBJECT_ID,HADM_ID,SEQ_NUM,ICD9_CODE"],
        "ADMISSIONS": ["ROW_ID,SUBJECT_ID,HADM_ID,ADMITTIME"],
        "PATIENTS": ["ROW_ID,SUBJECT_ID,GENDER,DOB"],
    }
    row = 0
    for stay in range(admissions):
        lines["ADMISSIONS"].append(f"{stay},{stay},{stay},2101-01-01 00:00:00")
        lines["PATIENTS"].append(f"{stay},{stay},F,2050-01-01 00:00:00")
        kinds = ["Report"] + ["Addendum"] * (draw.random() < ADDENDUM)
        notes = [("Discharge summary", kind, draw.choice(pages)) for kind in kinds]
        notes += [("Nursing", "Report", draw.choice(short)) for _ in range(others)]
        for category, kind, text in notes:
            row += 1
            lines["NOTEEVENTS"].append(
                f'{row},{stay},{stay},2101-01-02,,{category},{kind},,"{text}"'
            )
        for sequence in range(1, CODES_PER_NOTE + 1):
            table, digits = ("PROCEDURES_ICD", 4) if sequence % 4 == 0 else ("DIAGNOSES_ICD", 5)
            code = f"{draw.randrange(10 ** (digits - 1)):0{digits}d}"
            lines[table].append(f"{row},{stay},{stay},{sequence},{code}")
    header, *events = lines["NOTEEVENTS"]
    draw.shuffle(events)
    lines["NOTEEVENTS"] = [header, *events]
    for name, content in lines.items():
        with gzip.open(folder / f"{name}.csv.gz", "wt", compresslevel=1) as stream:
            stream.writelines(f"{line}\n" for line in content)
    return row


def ours(folder):
    """Prepare and split; return documents, labels, characters."""
    from longtail_icd.common.tables import write_table  # noqa: PLC0415
    from longtail_icd.corpus.prepare import prepare  # noqa: PLC0415
    from longtail_icd.corpus.split import assign_splits  # noqa: PLC0415

    prepared = prepare("mimic3", folder, KINDS, "discharge", "en")
    write_table(prepared.notes, folder / "notes.parquet", "corpus/prepared_notes")
    write_table(prepared.labels, folder / "labels.parquet", "corpus/labels")
    assign_splits(prepared.notes, "patient", 0.1, 0.1, 1, {})
    characters = int(prepared.notes["text"].str.len_chars().sum())
    return prepared.notes.height, prepared.labels.height, characters


def yardstick(folder):
    """Do the same with pandas, vectorised, on whole tables."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    read = partial(pd.read_csv, dtype=str)
    notes = read(folder / "NOTEEVENTS.csv.gz")
    notes = notes[(notes["CATEGORY"].str.strip() == "Discharge summary") & notes["ISERROR"].isna()]
    notes["ADDENDUM"] = notes["DESCRIPTION"] == "Addendum"
    notes["ROW_ID"] = notes["ROW_ID"].astype(int)
    notes = notes.sort_values(["HADM_ID", "ADDENDUM", "CHARTTIME", "CHARTDATE", "ROW_ID"])
    texts = notes.groupby("HADM_ID")["TEXT"].agg("\n".join).reset_index()
    stays = read(folder / "ADMISSIONS.csv.gz").merge(
        read(folder / "PATIENTS.csv.gz"), on="SUBJECT_ID"
    )
    texts = texts.merge(stays, on="HADM_ID", how="left")
    parts = []
    for name, place in (("DIAGNOSES_ICD", 3), ("PROCEDURES_ICD", 2)):
        codes = read(folder / f"{name}.csv.gz").dropna(subset="ICD9_CODE")
        codes["CODE"] = codes["ICD9_CODE"].str[:place] + "." + codes["ICD9_CODE"].str[place:]
        parts.append(codes.drop_duplicates(["HADM_ID", "CODE"]))
    labels = pd.concat(parts)
    labels = labels[labels["HADM_ID"].isin(texts["HADM_ID"])]
    texts.to_parquet(folder / "notes_pandas.parquet", compression="zstd")
    labels.to_parquet(folder / "labels_pandas.parquet", compression="zstd")
    patients = np.random.default_rng(1).permutation(texts["SUBJECT_ID"].unique())
    texts["SUBJECT_ID"].isin(patients[: len(patients) // 10])
    return len(texts), len(labels), int(texts["TEXT"].str.len().sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--admissions", type=int, default=2000)
    parser.add_argument("--others", type=int, default=10, help="other notes per admission")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        rows = write_tables(folder, arguments.admissions, arguments.others, arguments.seed)
        result, figures = measured(partial(ours, folder))
        expected, plain = measured(partial(yardstick, folder))
    if result != expected:
        sys.exit(f"benchmark: ours gives {result}, the yardstick {expected}")
    report(
        stage="corpus",
        **figures,
        **versus(figures, plain),
        admissions=arguments.admissions,
        note_rows=rows,
        note_rows_per_s=round(rows / figures["wall_s"]),
        notes_per_s=round(result[0] / figures["wall_s"]),
    )


if __name__ == "__main__":
    main()
