"""The tables that stages hand to each other: one schema each, checked on write and on read.

Every table is Parquet (zstd), but for a file that ends in ``.arrow``: that is Arrow IPC without
compression and is memory-mapped, so that it takes no memory but for the rows in use, and processes
on one machine share these. A table that does not fit its schema is an error that names the file,
the column and the rule that writes it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_path

CODE_SYSTEMS = ("icd9cm", "icd10cm", "icd10pcs")
KINDS = ("diagnosis", "procedure")
SPLITS = ("train", "dev", "test")
ROWS_PER_GROUP = 4096  # of a table with texts: a reader holds at least one group
ROWS_AT_ONCE = 256  # of a table with texts that one process reads or writes as they come


@dataclass(frozen=True)
class Table:
    """A table's columns with their types, and the rule that writes it."""

    rule: str
    columns: dict[str, pl.DataType | type[pl.DataType]]


_CODE = {"version": pl.String, "code": pl.String, "kind": pl.String}

_NOTE = {
    "note_id": pl.String,
    "patient_id": pl.String,
    "time": pl.Datetime("us"),
    "sex": pl.String,
    "age": pl.Float64,
    "text": pl.String,
}

_RUN = {
    "corpus": pl.String,
    "model": pl.String,
    "train_set": pl.String,
    "seed": pl.Int64,
    "split": pl.String,
    "threshold_kind": pl.String,
}

_REACHED = {
    "model": pl.String,
    "train_set": pl.String,
    "tier": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "ci_method": pl.String,
    "n_seeds": pl.Int64,
    "ci_seeds": pl.String,
    "support": pl.Int64,
}

TABLES = {
    # One row per document, before the split; official_split is null where the source has none.
    "corpus/prepared_notes": Table("prepare_corpus", {**_NOTE, "official_split": pl.String}),
    # One row per document. note_id is the admission's id; age in years.
    "corpus/notes": Table("split_corpus", _NOTE),
    # One row per code of a document, once each; position counts from 1 in the source's order.
    "corpus/labels": Table("split_corpus", {"note_id": pl.String, **_CODE, "position": pl.Int32}),
    # Every code that any split uses: the customary label list.
    "corpus/codes": Table("split_corpus", _CODE),
    # One row per node of a code system, headings included; parent is null at the top.
    "terminology/codes": Table(
        "extract_taxonomy",
        {
            **_CODE,
            "title": pl.String,
            "title_source": pl.String,
            "parent": pl.String,
            "category": pl.String,
            "block": pl.String,
            "chapter": pl.String,
            "is_leaf": pl.Boolean,
        },
    ),
    "terminology/synonyms": Table(
        "extract_synonyms",
        {"version": pl.String, "code": pl.String, "synonym": pl.String, "source": pl.String},
    ),
    # Nodes that must not be used together: whatever is at or below code, with whatever is at or
    # below excluded. note: the words of the classification.
    "terminology/excludes": Table(
        "extract_excludes",
        {"version": pl.String, "code": pl.String, "excluded": pl.String, "note": pl.String},
    ),
    # Pairs of codes (code_a < code_b) that share at least one train note; p_value: one-sided, for
    # more shared notes than by chance.
    "plan/cooccurrence": Table(
        "mine_cooccurrence",
        {
            "code_a": pl.String,
            "code_b": pl.String,
            "notes": pl.Int64,
            "p_b_given_a": pl.Float64,
            "p_a_given_b": pl.Float64,
            "npmi": pl.Float64,
            "p_value": pl.Float64,
        },
    ),
    # Groups (level: category, block or chapter; of one version and kind) and the codes of any kind
    # that share a train note with one of their codes, themselves apart.
    "plan/group_cooccurrence": Table(
        "mine_cooccurrence",
        {
            "version": pl.String,
            "kind": pl.String,
            "level": pl.String,
            "group": pl.String,
            "code": pl.String,
            "notes": pl.Int64,
            "probability": pl.Float64,
        },
    ),
    # Codes of the label space that only one sex or age has: age_low <= age < age_high, in years.
    # null: unbounded.
    "plan/demographics": Table(
        "find_conflicts",
        {
            "code": pl.String,
            "sex": pl.String,
            "age_low": pl.Float64,
            "age_high": pl.Float64,
            "source": pl.String,
        },
    ),
    # Every code of codes_a contradicts every code of codes_b; no code is on both sides.
    # reason: excludes1, sex or age.
    "plan/conflicts": Table(
        "find_conflicts",
        {
            "codes_a": pl.List(pl.String),
            "codes_b": pl.List(pl.String),
            "reason": pl.String,
            "note": pl.String,
        },
    ),
    # The label space, sorted by code: every code a model may predict, with its train frequency.
    "plan/tiers": Table("stratify_codes", {**_CODE, "n_train": pl.Int64, "tier": pl.String}),
    "plan/allocation": Table("allocate_notes", {"code": pl.String, "n_synthetic": pl.Int64}),
    # One row per note to write; codes are sorted and contain the anchor. reason: why the set was
    # accepted. Reserve rows are written only where notes of the others fail.
    "plan/code_sets": Table(
        "build_code_sets",
        {
            "request_id": pl.String,
            "anchor": pl.String,
            "codes": pl.List(pl.String),
            "strategy": pl.String,
            "source_note_id": pl.String,
            "reason": pl.String,
            "reserve": pl.Boolean,
        },
    ),
    # How like real code sets a recipe's are. tier: of the anchors, or all; who: planned, or the
    # train notes that they are held against; n: code sets that the value comes from.
    "plan/plausibility": Table(
        "assess_code_sets",
        {
            "tier": pl.String,
            "measure": pl.String,
            "who": pl.String,
            "value": pl.Float64,
            "n": pl.Int64,
        },
    ),
    # The real train notes that a request's prompt may show, best first. excerpts: what of them, as
    # characters [start, end) of the note's text, never as text; none: the best note as a whole.
    # skeleton: section headings of the best note that many notes have.
    "plan/exemplars": Table(
        "select_exemplars",
        {
            "request_id": pl.String,
            "exemplar_note_ids": pl.List(pl.String),
            "excerpts": pl.List(
                pl.Struct({"note_id": pl.String, "start": pl.Int64, "end": pl.Int64})
            ),
            "skeleton": pl.List(pl.String),
        },
    ),
    # One row per request of the plan, in its order; reserve: asked only if others of its anchor
    # fail. chats and knowledge are JSON; generation/requests.py says what each column is.
    "generation/prompts": Table(
        "compose_prompts",
        {
            "request_id": pl.String,
            "anchor": pl.String,
            "codes": pl.List(pl.String),
            "chats": pl.String,
            "follow_up": pl.String,
            "before": pl.String,
            "after": pl.String,
            "knowledge": pl.String,
            "seed": pl.Int64,
            "data_class": pl.String,
            "reserve": pl.Boolean,
        },
    ),
    # What was written for each request that was asked for, as it came, with the real text around
    # it; a reserve request stands behind those that it takes the place of. plan and judgement:
    # answers of a first step and of a judge; endpoint: where the prompt went, if anywhere.
    "generation/responses": Table(
        "generate_notes",
        {
            "request_id": pl.String,
            "text": pl.String,
            "plan": pl.String,
            "judgement": pl.String,
            "repaired": pl.Boolean,
            "finish_reason": pl.String,
            "model": pl.String,
            "prompt_tokens": pl.Int64,
            "completion_tokens": pl.Int64,
            "attempts": pl.Int64,
            "endpoint": pl.String,
        },
    ),
    # status: ok, or rejected with the reasons.
    "generation/notes": Table(
        "collect_notes",
        {
            "request_id": pl.String,
            "anchor": pl.String,
            "text": pl.String,
            "status": pl.String,
            "reasons": pl.List(pl.String),
            "model": pl.String,
            "prompt_tokens": pl.Int64,
            "completion_tokens": pl.Int64,
            "attempts": pl.Int64,
        },
    ),
    # evidence holds character spans [start, end) in the note's text, as found by the screening.
    "generation/labels": Table(
        "collect_notes",
        {
            "request_id": pl.String,
            "code": pl.String,
            "role": pl.String,
            "verdict": pl.String,
            "evidence": pl.List(pl.Struct({"start": pl.Int64, "end": pl.Int64})),
            "weight": pl.Float64,
        },
    ),
    # How like real train notes a recipe's ok notes are. part: the section or the role of the codes
    # that the value is of, or null; tier: of these codes, or all; who: synthetic, or the train
    # notes beside them (real); n: notes or codes that the value comes from.
    "generation/quality": Table(
        "assess_notes",
        {
            "measure": pl.String,
            "part": pl.String,
            "tier": pl.String,
            "who": pl.String,
            "value": pl.Float64,
            "ci_low": pl.Float64,
            "ci_high": pl.Float64,
            "n": pl.Int64,
        },
    ),
    # One row per document, ready for a model; label_ids index the sorted label list;
    # anchor_id is null for a real note.
    "training/tokens": Table(
        "tokenize_notes",
        {
            "note_id": pl.String,
            "input_ids": pl.List(pl.Int32),
            "label_ids": pl.List(pl.Int32),
            "anchor_id": pl.Int32,
        },
    ),
    "training/history": Table(
        "train_{model}",
        {"epoch": pl.Float64, "step": pl.Int64, "metric": pl.String, "value": pl.Float64},
    ),
    # The logits from which on a code is predicted by the alternatives to the global threshold.
    "evaluation/thresholds": Table(
        "tune_threshold",
        {"code": pl.String, "per_tier": pl.Float64, "per_code": pl.Float64},
    ),
    # tier is a tier's name or "all"; support counts gold labels. ci_naive: the percentile bootstrap
    # of patients, where another method gives the interval. label_list, test_set: fingerprints of
    # the codes, and of the notes, patients and gold labels, that the run was scored on.
    "evaluation/metrics": Table(
        "score_predictions",
        {
            **_RUN,
            "tier": pl.String,
            "metric": pl.String,
            "value": pl.Float64,
            "support": pl.Int64,
            "ci_low": pl.Float64,
            "ci_high": pl.Float64,
            "ci_method": pl.String,
            "ci_naive_low": pl.Float64,
            "ci_naive_high": pl.Float64,
            "label_list": pl.String,
            "test_set": pl.String,
        },
    ),
    # family: what the codes are grouped by: bin (of train frequency, as published), kind or
    # chapter; tier, for the alternatives to the global threshold alone. codes: of the group.
    "evaluation/breakdown": Table(
        "score_predictions",
        {
            **_RUN,
            "family": pl.String,
            "group": pl.String,
            "metric": pl.String,
            "value": pl.Float64,
            "codes": pl.Int64,
            "support": pl.Int64,
        },
    ),
    # One row per code in label order. support: gold labels; expected: sum of the probabilities,
    # which equals the support of a calibrated code; ece: its calibration error.
    "evaluation/codes": Table(
        "score_predictions",
        {
            **_CODE,
            "n_train": pl.Int64,
            "tier": pl.String,
            "support": pl.Int64,
            "predicted": pl.Int64,
            "hits": pl.Int64,
            "precision": pl.Float64,
            "recall": pl.Float64,
            "f1": pl.Float64,
            "auc": pl.Float64,
            "average_precision": pl.Float64,
            "expected": pl.Float64,
            "ece": pl.Float64,
        },
    ),
    # value: of a train set, mean over seeds; the metrics that are compared.
    "evaluation/averages": Table("compare_runs", _REACHED),
    # The same of the mean of all seeds' logits: one coder, so conditional on its n_seeds seeds.
    "evaluation/ensembles": Table("score_ensembles", _REACHED),
    # Notes and codes that two sides give in different numbers of seeds; gold: whether coders do.
    "evaluation/changed_labels": Table(
        "compare_runs",
        {
            "baseline": pl.String,
            "against": pl.String,
            "model": pl.String,
            "note_id": pl.String,
            **_CODE,
            "tier": pl.String,
            "gold": pl.Boolean,
            "baseline_seeds": pl.Int64,
            "against_seeds": pl.Int64,
        },
    ),
    # delta: against minus baseline, mean over seeds. effect_size: Cohen's h. smallest_detectable:
    # the difference that this test set had an 80 % chance to show. ci_seeds: conditional on the
    # training seeds, or drawn as the patients are. primary: the endpoint chosen beforehand.
    "evaluation/comparisons": Table(
        "compare_runs",
        {
            "baseline": pl.String,
            "against": pl.String,
            "model": pl.String,
            "tier": pl.String,
            "metric": pl.String,
            "baseline_value": pl.Float64,
            "against_value": pl.Float64,
            "delta": pl.Float64,
            "ci_low": pl.Float64,
            "ci_high": pl.Float64,
            "p_value": pl.Float64,
            "p_adjusted": pl.Float64,
            "n_seeds": pl.Int64,
            "ci_method": pl.String,
            "ci_naive_low": pl.Float64,
            "ci_naive_high": pl.Float64,
            "ci_seeds": pl.String,
            "effect_size": pl.Float64,
            "smallest_detectable": pl.Float64,
            "support": pl.Int64,
            "n_patients": pl.Int64,
            "primary": pl.Boolean,
        },
    ),
    # How well each train set's models of a kind find each code in the test split. n_test: its gold
    # labels there; f1, missed (of these) and mistaken (of the missed: a code of the same family was
    # predicted that the note does not have): means over the seeds.
    "report/codes": Table(
        "tabulate_codes",
        {
            "model": pl.String,
            "train_set": pl.String,
            "code": pl.String,
            "title": pl.String,
            "family": pl.String,
            "tier": pl.String,
            "n_train": pl.Int64,
            "n_test": pl.Int64,
            "f1": pl.Float64,
            "missed": pl.Float64,
            "mistaken": pl.Float64,
        },
    ),
    # One row per rule and source: benchmark (Snakemake's files: the last attempt of each job) or
    # accounting (the scheduler's: every attempt, failed ones too). Memory: the largest job's, in
    # MB; asked for, core_hours (CPUs given, times hours) and gpu_hours: null in benchmark files.
    "report/jobs": Table(
        "account_jobs",
        {
            "source": pl.String,
            "rule": pl.String,
            "attempts": pl.Int64,
            "failed": pl.Int64,
            "hours": pl.Float64,
            "cpu_hours": pl.Float64,
            "core_hours": pl.Float64,
            "gpu_hours": pl.Float64,
            "memory_used": pl.Float64,
            "memory_asked": pl.Float64,
        },
    ),
    # One row per new note, its codes the most probable first; passages are characters [start, end)
    # of the note as written. tokens: read of it; cut: not the whole note.
    "prediction/codes": Table(
        "code_new_notes",
        {
            "note_id": pl.String,
            "tokens": pl.Int64,
            "cut": pl.Boolean,
            "codes": pl.List(
                pl.Struct(
                    {
                        "code": pl.String,
                        "version": pl.String,
                        "kind": pl.String,
                        "title": pl.String,
                        "probability": pl.Float64,
                        "predicted": pl.Boolean,
                        "passages": pl.List(
                            pl.Struct(
                                {
                                    "start": pl.Int64,
                                    "end": pl.Int64,
                                    "text": pl.String,
                                    "attention": pl.Float64,
                                }
                            )
                        ),
                    }
                )
            ),
        },
    ),
}


def empty_table(name: str) -> pl.DataFrame:
    """Return the table ``name`` without rows."""
    return pl.DataFrame(schema=TABLES[name].columns)


def _check_columns(schema: pl.Schema, name: str, path: str | Path) -> None:
    table = TABLES[name]
    for column, dtype in table.columns.items():
        if column not in schema:
            problem = f"column {column} is missing"
        elif schema[column] != dtype:
            problem = f"column {column} holds {schema[column]}, not {dtype}"
        else:
            continue
        raise UserError(
            f"{path}: table {name}: {problem}; rule {table.rule} writes this table: "
            f"run `snakemake -R {table.rule}`"
        )


def write_table(frame: pl.DataFrame, path: str | Path, name: str) -> None:
    """Write ``frame`` as the table ``name``: its columns in the schema's order, nothing else.

    Raises:
        UserError: a column is missing or has another type.
    """
    _check_columns(frame.schema, name, path)
    frame = frame.select(list(TABLES[name].columns))
    with atomic_path(path) as temporary:
        if temporary.suffix == ".arrow":
            frame.write_ipc(temporary, compression="uncompressed")
        else:
            frame.write_parquet(temporary, compression="zstd")


def sink_table(frame: pl.LazyFrame, path: str | Path, name: str) -> None:
    """Write ``frame`` as :func:`write_table` does, without holding it: groups of rows in turn.

    Raises:
        UserError: a column is missing or has another type.
    """
    _check_columns(frame.collect_schema(), name, path)
    with atomic_path(path) as temporary:
        frame.select(list(TABLES[name].columns)).sink_parquet(
            temporary, compression="zstd", row_group_size=ROWS_PER_GROUP
        )


def write_batches(batches: Iterable[pl.DataFrame], path: str | Path, name: str) -> None:
    """Write batches of the table ``name`` as they come, each a group of rows of a Parquet file.

    Raises:
        UserError: a column is missing or has another type.
    """
    columns = list(TABLES[name].columns)
    schema = empty_table(name).to_arrow().schema
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for batch in batches:
            _check_columns(batch.schema, name, path)
            writer.write_table(batch.select(columns).to_arrow())


def _open(path: Path) -> pl.LazyFrame:
    """Open a file by its suffix, without reading its rows."""
    if path.suffix == ".arrow":
        # Polars' own reader copies; this one maps, and the conversion copies nothing.
        return pl.from_arrow(pa.ipc.open_file(pa.memory_map(str(path))).read_all()).lazy()
    return pl.scan_parquet(path)


def scan_table(path: str | Path, name: str) -> pl.LazyFrame:
    """Open the table ``name`` lazily, after a look at its columns.

    Raises:
        UserError: the file is missing, is not of its format, or does not fit the schema.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file; rule {TABLES[name].rule} writes it")
    try:
        frame = _open(path)
        schema = frame.collect_schema()
    except (pl.exceptions.PolarsError, pa.ArrowException):
        kind = "Arrow" if path.suffix == ".arrow" else "Parquet"
        raise UserError(
            f"{path}: not a readable {kind} file; run `snakemake -R {TABLES[name].rule}`"
        ) from None
    _check_columns(schema, name, path)
    return frame.select(list(TABLES[name].columns))


def write_rows(rows: Iterable[dict[str, Any]], path: str | Path, name: str) -> None:
    """Write rows as the table ``name``, without holding more than a few hundred of them."""
    columns = TABLES[name].columns
    waiting = iter(rows)
    groups = iter(lambda: list(islice(waiting, ROWS_AT_ONCE)), [])
    write_batches((pl.DataFrame(group, schema=columns) for group in groups), path, name)


def iter_table(path: str | Path, name: str) -> Iterator[pl.DataFrame]:
    """Yield a Parquet table's rows in their order, a few hundred at a time, never a whole group.

    Raises:
        UserError: see :func:`scan_table`.
    """
    scan_table(path, name)
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE, columns=list(TABLES[name].columns)):
            yield pl.DataFrame(batch)


def count_rows(path: str | Path, name: str) -> int:
    """Return how many rows the table ``name`` has, without reading them; see scan_table."""
    return scan_table(path, name).select(pl.len()).collect().item()


def read_table(path: str | Path, name: str) -> pl.DataFrame:
    """Read the table ``name`` into memory, or map it; see :func:`scan_table` for the errors."""
    return scan_table(path, name).collect()
