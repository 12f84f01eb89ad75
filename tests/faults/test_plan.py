"""What can go wrong before or during the plan stage ends in one clear error, and no output."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import TABLES, empty_table, write_table
from longtail_icd.plan.bounds import COLUMNS
from longtail_icd.plan.code_sets import build_code_sets
from longtail_icd.plan.conflicts import find_conflicts, summary
from longtail_icd.plan.cooccurrence import mine_cooccurrence
from longtail_icd.plan.demographics import find_demographics
from longtail_icd.plan.plausibility import assess_code_sets
from longtail_icd.plan.plausibility import summary as plausibility_summary
from longtail_icd.plan.tiers import read_label_file

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("version,code\nicd9cm,038.9\n", "column kind is missing"),
        ("038.9\n", "column version is missing"),
        ("version,code,kind\n", "no codes"),
        ("", "not a readable CSV"),
        ("version,code,kind\nicd9cm,,diagnosis\n", "column code has an empty cell"),
        ("version,code,kind\nicd9,038.9,diagnosis\n", "column version may hold only icd9cm"),
        ("version,code,kind\nicd9cm,038.9,dx\n", "column kind may hold only diagnosis"),
        (
            "version,code,kind\nicd9cm,038.9,diagnosis\nicd9cm,038.9,diagnosis\n",
            "codes listed twice: 038.9",
        ),
        ("version,code,kind\nicd9cm,038.9,diagnosis,more,cells\n", "not a readable CSV"),
    ],
)
def test_broken_label_file(tmp_path, content, message):
    """The error names the file and what is wrong in it."""
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(UserError, match=message) as error:
        read_label_file(path)
    assert str(path) in str(error.value)


def test_label_file_that_is_a_folder_or_no_text(tmp_path):
    with pytest.raises(UserError, match="not a readable CSV"):
        read_label_file(tmp_path)
    path = tmp_path / "labels.csv"
    path.write_bytes(b"version,code,kind\n\xff\xfe\x00,\x80,\x81\n")
    with pytest.raises(UserError, match="not a readable CSV"):
        read_label_file(path)


def stratify_job(folder: Path, labels: pl.DataFrame) -> SimpleNamespace:
    """A job of rule stratify_codes with the given train labels and an empty taxonomy."""
    labels.write_parquet(folder / "labels.parquet")
    taxonomy = empty_table("terminology/codes")
    write_table(taxonomy, folder / "taxonomy.parquet", "terminology/codes")
    return SimpleNamespace(
        rule="stratify_codes",
        input=SimpleNamespace(
            labels=folder / "labels.parquet", taxonomy=folder / "taxonomy.parquet"
        ),
        output=SimpleNamespace(tiers=folder / "plan" / "tiers.parquet"),
        log=[folder / "log" / "stratify_codes.log"],
        params=SimpleNamespace(
            label_space="train", kinds=["diagnosis"], tiers={"head": 9, "medium": 5, "tail": 2}
        ),
    )


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (empty_table("corpus/labels"), "train split: no labels"),
        (empty_table("corpus/labels").drop("code"), "column code is missing; rule split_corpus"),
    ],
)
def test_bad_train_labels_stop_the_rule_with_one_line_and_no_output(tmp_path, labels, message):
    """The same line for the user and in the rule's log."""
    job = stratify_job(tmp_path, labels)
    with pytest.raises(SystemExit, match=message):
        runpy.run_path(str(SCRIPTS / "stratify_codes.py"), {"snakemake": job}, "__main__")
    assert message in Path(job.log[0]).read_text()
    assert not Path(job.output.tiers).exists()


def test_codes_unknown_to_the_taxonomy_crash_nothing():
    """Trained, they are cloned; unseen, they stand alone."""
    labels = pl.DataFrame(
        [("1", "icd9cm", "488.1", "diagnosis", 1)],
        schema=TABLES["corpus/labels"].columns,
        orient="row",
    )
    tiers = pl.DataFrame(
        [
            ("icd9cm", "488.1", "diagnosis", 1, "few_shot"),
            ("icd9cm", "719.70", "diagnosis", 0, "zero_shot"),
        ],
        schema=TABLES["plan/tiers"].columns,
        orient="row",
    )
    allocation = pl.DataFrame({"code": ["488.1", "719.70"], "n_synthetic": [1, 1]})
    taxonomy = empty_table("terminology/codes")
    code_sets = build_code_sets(labels, tiers, taxonomy, allocation, strategy="paper", seed=1)
    assert code_sets["strategy"].to_list() == ["clone", "alone"]


def test_nothing_to_write_gives_empty_tables():
    """A corpus without rare codes is no error: the recipe then has no requests."""
    allocation = empty_table("plan/allocation")
    code_sets = build_code_sets(
        empty_table("corpus/labels"),
        empty_table("plan/tiers"),
        empty_table("terminology/codes"),
        allocation,
        strategy="paper",
        seed=1,
    )
    assert code_sets.is_empty()
    assert code_sets.schema == pl.Schema(TABLES["plan/code_sets"].columns)


def test_a_missing_table_of_bounds_stops_the_rule_with_one_line_and_no_output(tmp_path):
    """It names the file, and neither table is there, not even the one that would come first."""
    made = {
        "labels": "corpus/labels",
        "notes": "corpus/notes",
        "tiers": "plan/tiers",
        "taxonomy": "terminology/codes",
        "excludes": "terminology/excludes",
    }
    for file, name in made.items():
        write_table(empty_table(name), tmp_path / f"{file}.parquet", name)
    inputs = {file: tmp_path / f"{file}.parquet" for file in made}
    outputs = {
        file: tmp_path / "plan" / f"{file}.parquet" for file in ("demographics", "conflicts")
    }
    job = SimpleNamespace(
        rule="find_conflicts",
        input=SimpleNamespace(**inputs, bounds=tmp_path / "bounds.csv"),
        output=SimpleNamespace(**outputs),
        log=[tmp_path / "log" / "find_conflicts.log"],
        params=SimpleNamespace(),
    )
    with pytest.raises(SystemExit, match=r"bounds.csv: no such file"):
        runpy.run_path(str(SCRIPTS / "find_conflicts.py"), {"snakemake": job}, "__main__")
    assert not any(path.exists() for path in outputs.values())


def test_a_corpus_without_train_labels_has_no_conflicts_to_count():
    """Empty tables all the way: empty tables out, a log line of zeros."""
    labels, tiers = empty_table("corpus/labels"), empty_table("plan/tiers")
    notes = empty_table("corpus/notes").select("note_id", "patient_id", "sex", "age")
    bounds = pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String))
    demographics, dropped = find_demographics(tiers, bounds, labels, notes)
    assert demographics.equals(empty_table("plan/demographics"))
    assert dropped == 0
    conflicts = find_conflicts(
        empty_table("terminology/excludes"),
        empty_table("plan/cooccurrence"),
        demographics,
        tiers,
        empty_table("terminology/codes"),
    )
    assert conflicts.equals(empty_table("plan/conflicts"))
    assert "excludes1 0 (0 of them in 0 train notes)" in summary(conflicts, tiers, labels)


def assess(code_sets, labels, tiers):
    return assess_code_sets(
        code_sets,
        labels,
        tiers,
        empty_table("terminology/codes"),
        mine_cooccurrence(labels),
        empty_table("plan/conflicts"),
    )


def test_no_code_sets_no_labels_or_neither_have_no_plausibility():
    """No crash: every measure is there for all anchors, and none has a value or a set."""
    labels = pl.DataFrame(
        [("1", "icd9cm", "038.9", "diagnosis", 1)],
        schema=TABLES["corpus/labels"].columns,
        orient="row",
    )
    tiers = pl.DataFrame(
        [("icd9cm", "038.9", "diagnosis", 1, "few_shot")],
        schema=TABLES["plan/tiers"].columns,
        orient="row",
    )
    nothing = empty_table("plan/code_sets")
    for inputs in (
        (nothing, labels, tiers),
        (nothing, empty_table("corpus/labels"), empty_table("plan/tiers")),
    ):
        found = assess(*inputs)
        assert set(found["tier"]) == {"all"}
        assert found["value"].null_count() == len(found) > 0
        assert found["n"].sum() == 0
        assert "AUC of unknown" in plausibility_summary(found)


def test_a_plan_of_codes_without_any_train_note_is_assessed_as_far_as_it_goes():
    """No counterpart, no nearest note, no pair: what needs none of them has its value."""
    tiers = pl.DataFrame(
        [("icd9cm", code, "diagnosis", 0, "zero_shot") for code in ("038.9", "995.91")],
        schema=TABLES["plan/tiers"].columns,
        orient="row",
    )
    code_sets = pl.DataFrame(
        [("a", "038.9", ["038.9", "995.91"], "alone", None, "", False)],
        schema=TABLES["plan/code_sets"].columns,
        orient="row",
    )
    found = assess(code_sets, empty_table("corpus/labels"), tiers).filter(tier="zero_shot")
    values = dict(found.filter(who="planned").select("measure", "value").iter_rows())
    assert (values["codes_mean"], values["copies"], values["conflict_sex"]) == (2, 0, 0)
    assert values["nearest_median"] is values["auc"] is values["pair_counts"] is None
    assert found.filter(who="train")["value"].null_count() == len(found.filter(who="train"))
