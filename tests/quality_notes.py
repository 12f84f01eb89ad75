"""Notes, real and synthetic, and the tables that the rules of the quality report read."""

import polars as pl
from generation_stage import prompts_table, request, synonyms, table, taxonomy, tiers
from longtail_icd.common.tables import TABLES, write_table

REAL = (
    "Chief Complaint:\nshort of breath, patient {n}\n\nBrief Hospital Course:\n"
    "Known chf for {n} years, pt got lasix 40 mg on day {n} and his htn was watched by colleagues"
)
WRITTEN = (
    "This lady number {n} was admitted with a weak heart; a central line was placed on the ward "
    "and she left us on day {n} in a state that pleased us all"
)


def corpus_notes(count: int, text: str = REAL) -> pl.DataFrame:
    """Return train notes; every patient has two."""
    rows = [
        {"note_id": f"n{one:04d}", "patient_id": f"p{one // 2}", "text": text.format(n=one)}
        for one in range(count)
    ]
    missing = {"time": None, "sex": None, "age": None}
    return table("corpus/notes", [missing | row for row in rows])


def corpus_labels(count: int) -> pl.DataFrame:
    code = {"version": "icd9cm", "kind": "diagnosis"}
    return table(
        "corpus/labels",
        [
            {**code, "note_id": f"n{note:04d}", "code": one, "position": place}
            for note in range(count)
            for place, one in enumerate(["428.0", "401.9"], start=1)
        ],
    )


def note(number: int, text: str = WRITTEN, **changes) -> dict:
    fields = {
        "request_id": f"r{number:04d}",
        "anchor": "428.0",
        "text": text.format(n=number),
        "status": "ok",
        "reasons": [],
        "model": "m",
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "attempts": 1,
    }
    return fields | changes


def label(number: int, code: str, role: str, **changes) -> dict:
    fields = {
        "request_id": f"r{number:04d}",
        "code": code,
        "role": role,
        "verdict": "stated",
        "evidence": [{"start": 0, "end": 4}],
        "weight": 1.0,
    }
    return fields | changes


def knowledge(code: str, role: str) -> dict:
    return {
        "code": code,
        "role": role,
        "kind": "diagnosis",
        "title": code,
        "wording": "words",
        "style": "synonym",
        "synonyms": [],
    }


def write_files(folder, real=24, written=10, rejected=0, text=WRITTEN) -> dict[str, str]:
    """Write a recipe's tables and train's; return their paths by the rules' input names."""
    rows = [note(number, text) for number in range(written)]
    rows += [
        note(number, text, status="rejected", reasons=["too_short"])
        for number in range(written, written + rejected)
    ]
    labels = [
        label(number, code, role)
        for number in range(written)
        for code, role in (("428.0", "anchor"), ("38.93", "companion"))
    ]
    known = [knowledge("428.0", "anchor"), knowledge("38.93", "companion")]
    prompts = [request(row["request_id"], knowledge=known) for row in rows]
    exemplars = [
        {
            "request_id": row["request_id"],
            "exemplar_note_ids": ["n0001"],
            "excerpts": [],
            "skeleton": [],
        }
        for row in rows
    ]
    frames = {
        "notes": ("generation/notes", table("generation/notes", rows)),
        "labels": ("generation/labels", pl.DataFrame(labels, TABLES["generation/labels"].columns)),
        "prompts": ("generation/prompts", prompts_table(prompts)),
        "exemplars": ("plan/exemplars", table("plan/exemplars", exemplars)),
        "tiers": ("plan/tiers", tiers()),
        "codes": ("terminology/codes", taxonomy()),
        "synonyms": ("terminology/synonyms", synonyms()),
        "train_notes": ("corpus/notes", corpus_notes(real)),
        "train_labels": ("corpus/labels", corpus_labels(real)),
    }
    paths = {}
    for name, (schema, frame) in frames.items():
        paths[name] = str(folder / f"{name}.parquet")
        write_table(frame, paths[name], schema)
    return paths
