"""No test document reaches anything that plans, writes, trains or chooses."""

import random
import re
import shutil

import polars as pl
import pytest

EVALUATION_ONLY = {
    "predict_codes",
    "score_predictions",
    "score_ensembles",
    "compare_runs",
    "tabulate_codes",
    "write_report",
    "plot_f1_by_tier",
    "tokenize_notes",
    "split_corpus",
    "describe_corpus",
}
TEST_FILE = re.compile(r"/(notes|labels|tokens|scores)/test\.")


def _jobs(output):
    """Yield rule and inputs of every job that a dry run prints."""
    for block in re.split(r"\n(?=(?:local)?rule )", output):
        name = re.match(r"(?:local)?rule (\w+):", block)
        inputs = re.search(r"^\s+input: (.*)$", block, flags=re.M)
        if name:
            yield name[1], inputs[1].split(", ") if inputs else []


def test_only_evaluation_reads_test_files(finished):
    jobs = list(_jobs(finished.snakemake("--dry-run", "--forceall")))
    assert len(jobs) > 30
    readers = {rule for rule, inputs in jobs if any(TEST_FILE.search(path) for path in inputs)}
    # `corpus` only asks for the files to be made; tokenising a split reads that split alone.
    assert readers - {"corpus"} <= EVALUATION_ONLY
    assert {"score_predictions", "compare_runs"} <= readers
    tuned = [inputs for rule, inputs in jobs if rule == "tune_threshold"]
    assert tuned and not any(TEST_FILE.search(path) for inputs in tuned for path in inputs)


RANKED = """
recipes:
  paper:
    exemplars: {method: ranked, count: 1, max_uses: 9, text_weight: 0.3, excerpt_words: 50, seed: 1}
"""


def test_exemplars_are_ranked_on_train_alone_and_the_papers_need_no_texts(finished, tmp_path):
    """Not even a split's notes are read where the method is the paper's: they rerun nothing."""

    overlay = tmp_path / "ranked.yaml"
    overlay.write_text(RANKED)

    def inputs(*overlays):
        target = "results/tiny/plan/paper/exemplars.parquet"
        output = finished.snakemake(
            *("--configfile", "tests/config/tiny.yaml", *overlays),
            *("--dry-run", "--forceall", "--", target),
        )
        (found,) = [paths for rule, paths in _jobs(output) if rule == "select_exemplars"]
        return {path.removeprefix("results/tiny/") for path in found}

    assert inputs() == {"plan/paper/code_sets.parquet"}
    assert inputs(str(overlay)) == {
        "plan/paper/code_sets.parquet",
        "plan/tiers.parquet",
        "corpus/labels/train.parquet",
        "corpus/notes/train.parquet",
        "terminology/codes.parquet",
        "terminology/synonyms.parquet",
    }


def _permute(path, column):
    frame = pl.read_parquet(path)
    order = list(range(frame.height))
    random.Random(7).shuffle(order)
    shuffled = frame[column].gather(order)
    assert not shuffled.equals(frame[column])
    frame.with_columns(shuffled.alias(column)).write_parquet(path)


MADE_FROM_TRAIN = [
    "plan/tiers.parquet",
    "plan/cooccurrence.parquet",
    "plan/group_cooccurrence.parquet",
    "plan/demographics.parquet",
    "plan/conflicts.parquet",
    "plan/paper/code_sets.parquet",
    "plan/paper/plausibility.parquet",
    "plan/paper/exemplars.parquet",
    "generation/paper/prompts/000.parquet",
    "generation/paper/prompts/001.parquet",
    "generation/paper/notes.parquet",
    "generation/paper/labels.parquet",
]


def test_permuting_dev_and_test_changes_no_byte_of_plan_prompts_and_notes(changeable):
    before = {path: changeable.result(path).read_bytes() for path in MADE_FROM_TRAIN}
    for split in ("dev", "test"):
        _permute(changeable.result(f"corpus/notes/{split}.parquet"), "text")
        _permute(changeable.result(f"corpus/labels/{split}.parquet"), "note_id")
    for folder in ("plan", "generation"):
        shutil.rmtree(changeable.result(folder))
    permuted = changeable.result("corpus/notes/test.parquet").read_bytes()
    changeable.snakemake("plan", "generation", "--rerun-triggers", "input")
    # Nothing put the splits back as they were.
    assert changeable.result("corpus/notes/test.parquet").read_bytes() == permuted
    for path, content in before.items():
        assert changeable.result(path).read_bytes() == content, path


@pytest.mark.parametrize("label_space", ["train", "siblings", "taxonomy"])
def test_label_spaces_from_train_never_ask_for_other_splits(finished, label_space):
    output = finished.snakemake(
        *("generation", "--dry-run", "--forceall"),
        *("--config", f"corpus={{label_space: {label_space}}}"),
    )
    allowed = {"split_corpus", "corpus"}
    for rule, inputs in _jobs(output):
        joined = " ".join(inputs)
        outside = re.search(r"corpus/(codes|notes/(dev|test)|labels/(dev|test))", joined)
        assert rule in allowed or not outside, (rule, joined)


CODER = """
recipes:
  planned: {screening: {verifier: 0.5, coder: {model: plm_icd, seed: 1}}}
"""


def test_a_coder_that_screens_is_trained_before_the_notes_and_knows_no_test_note(
    finished, tmp_path
):
    """The one edge against the flow: from a model to notes. It closes no circle."""
    overlay = tmp_path / "coder.yaml"
    overlay.write_text(CODER)
    target = "results/tiny/generation/planned/notes.parquet"
    output = finished.snakemake(
        *("--configfile", "tests/config/tiny.yaml", str(overlay)),
        *("--dry-run", "--forceall", "--", target),
    )
    jobs = list(_jobs(output))
    model = "results/tiny/training/plm_icd/original/seed1/model"
    readers = {rule for rule, inputs in jobs if model in inputs}
    assert readers == {"generate_notes", "screen_notes"}
    (trained,) = [inputs for rule, inputs in jobs if rule == "train_plm_icd"]
    assert not any("synthetic" in path or "generation" in path for path in trained)
    assert not any(TEST_FILE.search(path) for _, inputs in jobs for path in inputs)
    # What the train notes teach is learnt in one job, and not in every shard's again.
    (learnt,) = [inputs for rule, inputs in jobs if rule == "learn_train_facts"]
    labels = "results/tiny/corpus/labels/train.parquet"
    assert labels in learnt
    shards = [inputs for rule, inputs in jobs if rule in readers]
    assert len(shards) == 4 and not any(labels in inputs for inputs in shards)


def _replace(checkout):
    """Put other documents with other codes in the place of dev and test, and list those codes."""
    train_notes = pl.read_parquet(checkout.result("corpus/notes/train.parquet"))
    train_labels = pl.read_parquet(checkout.result("corpus/labels/train.parquet"))
    for split in ("dev", "test"):
        other = pl.col("note_id") + f"-{split}"
        notes = train_notes.head(9).with_columns(other, text=pl.lit(f"Not what {split} said."))
        notes.write_parquet(checkout.result(f"corpus/notes/{split}.parquet"))
        labels = train_labels.with_columns(other, code=pl.lit("V99.9"))
        labels.write_parquet(checkout.result(f"corpus/labels/{split}.parquet"))
    codes = pl.concat([train_labels, labels]).select("version", "code", "kind").unique()
    codes.sort("code").write_parquet(checkout.result("corpus/codes.parquet"))


@pytest.mark.slow
@pytest.mark.parametrize("label_space", ["train", "taxonomy"])
def test_replacing_dev_and_test_changes_no_byte_of_plan_prompts_and_notes(changeable, label_space):
    # Under `taxonomy` every code of the classification is an anchor: few notes for each.
    (changeable.folder / "few.yaml").write_text(
        f"corpus: {{label_space: {label_space}}}\n"
        "recipes: {paper: {allocation: {cap: 4, zero_shot: 0}}}\n"
    )

    def made():
        for folder in ("plan", "generation"):
            shutil.rmtree(changeable.result(folder))
        changeable.snakemake(
            *("plan", "generation", "--rerun-triggers", "input"),
            *("--configfile", "tests/config/tiny.yaml", "few.yaml"),
        )
        return {path: changeable.result(path).read_bytes() for path in MADE_FROM_TRAIN}

    before = made()
    _replace(changeable)
    replaced = changeable.result("corpus/labels/test.parquet").read_bytes()
    after = made()
    # Nothing put the splits back as they were.
    assert changeable.result("corpus/labels/test.parquet").read_bytes() == replaced
    assert [path for path in MADE_FROM_TRAIN if before[path] != after[path]] == []
