"""What all seeds reach together, in a whole run."""

from longtail_icd.common.tables import read_table


def test_one_seed_together_reaches_what_it_reaches_alone(finished):
    """The same logits, threshold, gold labels and draws: not a digit may differ."""
    tables = (
        read_table(finished.result(f"evaluation/{name}.parquet"), f"evaluation/{name}")
        for name in ("averages", "ensembles")
    )
    averages, ensembles = (one.sort("model", "train_set", "tier", "metric") for one in tables)
    assert averages.height > 100 and averages.equals(ensembles)
