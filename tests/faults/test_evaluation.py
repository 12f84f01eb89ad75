"""What the evaluation promises when its input is wrong: one clear error, and no number."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from evaluation_stage import (
    BOOTSTRAP,
    CODES,
    NOTES,
    RUN,
    labels_table,
    make_gold,
    make_scores,
    notes_table,
    tiers_table,
)
from longtail_icd.common.errors import UserError
from longtail_icd.evaluation.compare import check_as_scored, compare, read_run
from longtail_icd.evaluation.evaluate import evaluate
from longtail_icd.evaluation.gold import gold_standard
from longtail_icd.evaluation.resampling import patient_weights
from longtail_icd.evaluation.score import metrics_table, threshold_alternatives
from longtail_icd.evaluation.scores import Scores, read_scores, write_scores
from safetensors.numpy import save_file

WEIGHTS = patient_weights(4, 100, 1)
NAMES = {"baseline": "original", "against": "extended", "model": "plm_icd"}


def run_of(name, scores, gold=None):
    gold = gold or make_gold(scores)
    return read_run(name, scores, 0.3, gold, WEIGHTS, [2])


def test_scores_are_read_back_as_they_were_written_and_mapped(tmp_path):
    """A matrix of 2 GB must not be held: its file is mapped."""
    scores = make_scores()
    write_scores(scores, tmp_path / "scores.safetensors")
    read = read_scores(tmp_path / "scores.safetensors")
    assert isinstance(read.logits, np.memmap)
    assert (read.logits == scores.logits).all()
    assert (read.note_ids, read.codes) == (NOTES, CODES)


def test_a_score_file_without_notes_is_read(tmp_path):
    write_scores(make_scores(notes=[]), tmp_path / "scores.safetensors")
    assert read_scores(tmp_path / "scores.safetensors").logits.shape == (0, 6)


@pytest.mark.parametrize("broken", ["missing", "cut", "text", "no ids", "no logits", "half"])
def test_a_broken_score_file_is_named(broken, tmp_path):
    path = tmp_path / "scores.safetensors"
    write_scores(make_scores(), path)
    ids = {"note_ids": json.dumps(NOTES), "codes": json.dumps(CODES)}
    logits = make_scores().logits
    if broken == "missing":
        path.unlink()
    elif broken == "cut":
        path.write_bytes(path.read_bytes()[:-5])
    elif broken == "text":
        path.write_text("no scores at all")
    elif broken == "no ids":
        save_file({"logits": logits}, path)
    elif broken == "no logits":
        save_file({"scores": logits}, path, metadata=ids)
    else:
        save_file({"logits": logits.astype(np.float16)}, path, metadata=ids)
    with pytest.raises(UserError, match=r"scores\.safetensors: .*predict_codes"):
        read_scores(path)


def test_ids_that_do_not_fit_the_logits_are_refused(tmp_path):
    path = tmp_path / "scores.safetensors"
    write_scores(Scores(make_scores().logits, NOTES, CODES[:-1]), path)
    with pytest.raises(UserError, match=r"logits \(8, 6\) of 8 notes and 5 codes"):
        read_scores(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_no_number_is_refused(value, tmp_path):
    scores = make_scores()
    scores.logits[3, 2] = value
    write_scores(scores, tmp_path / "scores.safetensors")
    with pytest.raises(UserError, match="not finite"):
        read_scores(tmp_path / "scores.safetensors")


def test_labels_notes_or_codes_of_something_else_are_refused():
    scores, tables = make_scores(), (labels_table(), notes_table(), tiers_table())
    fewer = make_scores(notes=NOTES[:-1])
    with pytest.raises(UserError, match="labels and scores are of different notes"):
        gold_standard(*tables, fewer)
    with pytest.raises(UserError, match="no note to score"):
        gold_standard(*tables, make_scores(notes=[]))
    known = tables[0].filter(pl.col("note_id") != NOTES[-1])
    with pytest.raises(UserError, match="notes and scores are of different notes"):
        gold_standard(known, *tables[1:], fewer)
    with pytest.raises(UserError, match=r"1 codes that plan/tiers lacks, 38\.93 among"):
        gold_standard(*tables[:2], tables[2].head(5), scores)


def test_runs_of_different_label_lists_are_not_compared():
    """The same codes in another order are another label space, too."""
    one = run_of("plm_icd/original/seed1", make_scores())
    backwards = run_of("plm_icd/extended/seed1", make_scores(codes=CODES[::-1]))
    fewer = run_of("plm_icd/extended/seed1", make_scores(codes=CODES[:-1]))
    for other in (backwards, fewer):
        with pytest.raises(UserError, match=r"original/seed1 and .*/seed1 predict different"):
            compare([one], [other], BOOTSTRAP, NAMES)


@pytest.mark.parametrize("what", ["notes", "patients", "labels", "labels outside"])
def test_runs_of_different_test_sets_are_not_compared(what):
    labels, notes, scores = labels_table(), notes_table(), make_scores()
    one = run_of("plm_icd/original/seed1", scores)
    if what == "notes":
        scores = make_scores(notes=["other", *NOTES[1:]])
        renamed = pl.col("note_id").replace("n0", "other")
        labels, notes = labels.with_columns(renamed), notes.with_columns(renamed)
    elif what == "patients":
        notes = notes.with_columns(pl.col("patient_id").replace("p0", "p9"))
    elif what == "labels":
        labels = labels.slice(1)
    else:
        labels = labels_table(outside=2)
    gold = gold_standard(labels, notes, tiers_table(), scores)
    other = run_of("plm_icd/extended/seed1", scores, gold)
    with pytest.raises(UserError, match="different notes, patients or gold labels"):
        compare([one], [other], BOOTSTRAP, NAMES)


def test_metrics_of_another_state_of_the_data_are_not_compared():
    scores = make_scores()
    gold = make_gold(scores)
    evaluation = evaluate(scores.logits, gold.labels, 0.3)
    whole = replace(gold, tier=np.zeros(6, dtype=int))  # one tier is enough here
    evaluation.values["head"] = evaluation.values["all"]
    evaluation.documents["head"] = evaluation.documents["all"]
    metrics = metrics_table(evaluation, whole, BOOTSTRAP, RUN)
    check_as_scored("plm_icd/original/seed1", metrics, gold)
    with pytest.raises(UserError, match=r"seed1: .*another test set.*score_predictions"):
        check_as_scored("plm_icd/original/seed1", metrics, make_gold(scores, outside=2))
    with pytest.raises(UserError, match="another label list"):
        backwards = make_gold(make_scores(codes=CODES[::-1]))
        check_as_scored("plm_icd/original/seed1", metrics, backwards)


def test_thresholds_of_another_label_list_are_refused():
    scores = make_scores()
    evaluation = evaluate(scores.logits, make_gold(scores).labels, 0.3)
    thresholds = pl.DataFrame({"code": CODES[::-1], "per_tier": 0.0, "per_code": 0.0})
    with pytest.raises(UserError, match="thresholds are of other codes"):
        threshold_alternatives(thresholds, CODES, evaluation, False)
