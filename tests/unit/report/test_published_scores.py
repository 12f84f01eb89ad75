"""A run stands beside scores of the same corpus, split and definition only."""

import polars as pl
import pytest
from longtail_icd.common.errors import UserError
from longtail_icd.report.published_scores import (
    admit,
    literature_table,
    read_published_scores,
    refused_table,
    why_not_comparable,
)
from report_run import RESOURCES
from report_tables import metrics_table, settings

FILE = RESOURCES / "published_scores.csv"
METRICS = ["micro_f1", "macro_f1_harmonic", "macro_f1_all_codes", "macro_f1_test_codes"]


def real_run(**corpus):
    """Settings of MIMIC-III on its official split, with what the test changes."""
    found = settings(path="/somewhere/mimic3")
    found["corpus"]["split"]["method"] = "official"
    found["corpus"] |= corpus
    return found


def published(**agreements):
    """A manifest's comparison in which all agrees but what the test says."""
    figures = ["documents.train", "documents.dev", "documents.test", "codes.all", "labels.all"]
    return {
        "corpus": "mimic3_full",
        "figures": [
            {"figure": name, "agrees": agreements.get(name.replace(".", "_"), True)}
            for name in figures
        ],
    }


def test_the_published_run_may_be_compared():
    assert why_not_comparable(real_run(), published()) is None
    # How many labels there are is told beside the corpus; it moves no document and no code.
    assert why_not_comparable(real_run(), published(labels_all=False)) is None


@pytest.mark.parametrize(
    ("run", "manifest", "reason"),
    [
        (settings(), published(), "simulated"),
        (real_run(), None, "corpus.published"),
        (real_run(split={"method": "patient"}), published(), "method: patient"),
        (real_run(label_space="train"), published(), "label_space: train"),
        (real_run(), published(documents_test=False), "documents, test differ"),
        (real_run(), published(codes_all=False), "codes, all differ"),
    ],
)
def test_any_other_run_is_refused_with_the_reason(run, manifest, reason):
    assert reason in why_not_comparable(run, manifest)


def test_scores_of_other_corpora_and_definitions_are_refused():
    scores = read_published_scores(FILE)
    kept, refused = admit(scores, "mimic3_full", METRICS)
    assert set(kept["corpus"]) == {"mimic3_full"}
    assert set(kept["metric"]) <= set(METRICS)
    assert "unknown" not in set(kept["basis"])
    # PLM-ICD's and GKI-ICD's macro-F1 never share a column, and CoLa's, which is neither, has none.
    assert kept.filter(model="PLM-ICD", metric="macro_f1_harmonic")["value"].to_list() == [10.4]
    assert kept.filter(model="GKI-ICD", metric="macro_f1_all_codes")["value"].to_list() == [12.3]
    assert kept.filter(pl.col("metric").str.starts_with("macro"), model="CoLa-ICD").is_empty()
    assert kept.height + refused.total() == scores.height
    assert len(refused_table(refused).rows) == 3


def test_a_run_stands_above_the_published_with_its_mean_over_seeds():
    metrics = metrics_table(("original",), (1, 3))
    kept, _ = admit(read_published_scores(FILE), "mimic3_full", METRICS)
    table = literature_table(kept, metrics, "mimic3_full", 8929, "micro_f1")
    rows = {row[0]: row[1:] for row in table.rows}
    # 0.5 + 0.001 × seed, over the seeds 1 and 3.
    assert rows["GKI-ICD, original"][0] == "50.2"
    assert rows["GKI-ICD, original"][-3:] == ["8,929", "dev", "this run"]
    assert rows["GKI-ICD"][-2] == "test"
    assert "12.3*" in rows["GKI-ICD"]
    assert literature_table(kept.clear(), metrics, "mimic3_full", 8929, "micro_f1") is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("corpus,value\nx,1\n", "column split is missing"),
        (
            "corpus,split,codes,model,metric,value,basis,threshold,source\na,b,1,m,f,9,guess,dev,s\n",
            "basis guess",
        ),
        ("corpus,codes,value\nx,1,high\n", "not a readable table"),
    ],
)
def test_a_broken_file_is_one_clear_error(tmp_path, text, complaint):
    path = tmp_path / "scores.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=rf"scores.csv: .*{complaint}"):
        read_published_scores(path)


def test_every_row_of_the_table_names_its_source_and_a_plausible_value():
    scores = read_published_scores(FILE)
    assert scores.filter(pl.col("source").is_null() | pl.col("split").is_null()).is_empty()
    assert scores["value"].is_between(0, 100).all()
    assert set(scores["threshold"]) <= {"dev", "test", "unknown"}
    keys = scores.select("corpus", "model", "metric", "source")
    assert keys.is_duplicated().sum() == 0
