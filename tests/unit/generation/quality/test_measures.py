"""The measures on notes whose figures can be told by hand."""

import polars as pl
import pytest
from generation_stage import table
from hypothesis import given, settings
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import write_table
from longtail_icd.generation.quality.assessment import assess_files
from longtail_icd.generation.quality.likeness import mean_cosine, nearest_distance, vectors
from longtail_icd.generation.quality.measures import frequent_headings
from longtail_icd.generation.quality.samples import NoteSample, Samples, by_chance, draw_ids
from quality_notes import REAL, corpus_notes, note, write_files


def value(quality, measure, who, tier="all", part=None):
    found = quality.filter(
        pl.col("part").eq_missing(pl.lit(part)), measure=measure, who=who, tier=tier
    )
    return found["value"].item()


@pytest.fixture
def quality(tmp_path):
    return assess_files(write_files(tmp_path), notes=8, seed=1)


def test_figures_that_can_be_told_by_hand(quality):
    assert value(quality, "words", "synthetic") == pytest.approx(32)
    assert value(quality, "section", "real", part="Chief Complaint") == 1
    assert value(quality, "section", "synthetic", part="Chief Complaint") == 0
    assert value(quality, "words_distance", "synthetic") == 1
    assert value(quality, "words_distance", "real") == 0
    # chf and htn are synonyms; the synthetic notes say weak heart and central line.
    assert value(quality, "codes_worded", "real") == 1
    assert value(quality, "codes_worded", "synthetic") == 1
    assert value(quality, "codes_supported", "synthetic", part="anchor") == 1
    assert value(quality, "words_unseen", "synthetic") > 0.5
    assert value(quality, "words_unseen", "real") == 0


def test_words_of_the_synthetic_sample_alone_change_nothing_of_the_real(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = assess_files(write_files(tmp_path / "a"), 8, 1)
    other = assess_files(write_files(tmp_path / "b", text="something else {n}"), 8, 1)
    own = ["words", "numerals", "section", "words_unseen", "self_bleu", "copied", "codes_worded"]
    real = [
        frame.filter(pl.col("measure").is_in(own), who="real").to_dicts() for frame in (one, other)
    ]
    assert real[0] == real[1]


def test_copies_of_exemplars_and_of_train_are_seen(tmp_path):
    """A recipe that writes its exemplar off must stand out."""
    (tmp_path / "own").mkdir()
    written = assess_files(write_files(tmp_path, text=REAL.format(n=1)), 8, 1)
    own_words = assess_files(write_files(tmp_path / "own"), 8, 1)
    assert value(written, "copied_exemplars", "synthetic") > 0.3
    assert value(written, "near_copies", "synthetic") == 7 / 8
    assert value(own_words, "copied_exemplars", "synthetic") == 0
    nearest = [value(one, "nearest", "synthetic") for one in (written, own_words)]
    assert nearest[0] < nearest[1] - 0.2


def test_the_order_of_rows_does_not_matter(tmp_path):
    files = write_files(tmp_path)
    first = assess_files(files, 8, 1)
    for name, schema in (
        ("notes", "generation/notes"),
        ("labels", "generation/labels"),
        ("train_notes", "corpus/notes"),
        ("train_labels", "corpus/labels"),
    ):
        write_table(pl.read_parquet(files[name]).reverse(), files[name], schema)
    assert assess_files(files, 8, 1).equals(first)


def test_no_patient_is_both_compared_and_referred_to():
    train = corpus_notes(200)
    written = table("generation/notes", [note(number) for number in range(80)])
    reference, real, synthetic = draw_ids(train.lazy(), written.lazy(), 60, 1)
    patient = dict(train.select("note_id", "patient_id").iter_rows())
    assert not {patient[one] for one in reference} & {patient[one] for one in real}
    assert len(reference) == len(real) == len(synthetic) == 60


def test_rejected_notes_are_not_measured():
    rows = [note(0), note(1, status="rejected")]
    *_, synthetic = draw_ids(corpus_notes(20).lazy(), table("generation/notes", rows).lazy(), 10, 1)
    assert synthetic == ["r0000"]


def test_nothing_to_compare_is_one_clear_error(tmp_path):
    with pytest.raises(UserError, match="several patients; there are 10 and 2 notes"):
        assess_files(write_files(tmp_path, real=2), 8, 1)


def test_a_heading_of_few_notes_is_told_of_no_one():
    headings = [["Chief Complaint", "Mr Smith"]] * 4 + [["Chief Complaint"]]
    assert frequent_headings(headings) == ["Chief Complaint"]


@given(st.permutations([f"n{number}" for number in range(12)]))
def test_a_draw_depends_on_the_ids_alone(ids):
    assert by_chance(ids, "x", 1) == by_chance(sorted(ids), "x", 1)


def sample(*texts):
    return NoteSample([str(one) for one in range(len(texts))], list(texts), [[]] * len(texts))


@settings(max_examples=30)
@given(st.lists(st.text("abc ", min_size=1, max_size=9), min_size=2, max_size=5))
def test_the_mean_cosine_is_that_of_all_pairs(texts):
    samples = Samples(sample("a b c"), sample("a"), sample(*texts), {})
    rows = vectors(samples)["synthetic"]
    dense = rows.toarray()
    pairs = [
        dense[one] @ dense[other]
        for one in range(len(texts))
        for other in range(len(texts))
        if one != other
    ]
    assert mean_cosine(rows) == pytest.approx(sum(pairs) / len(pairs), abs=1e-9)


def test_distance_to_the_nearest_by_hand():
    samples = Samples(sample("alpha beta", "gamma"), sample("gamma"), sample("alpha beta", "x"), {})
    rows = vectors(samples)
    assert nearest_distance(rows["synthetic"], rows["reference"]) == pytest.approx([0, 1])
    assert nearest_distance(rows["real"], rows["reference"]) == pytest.approx([0])
