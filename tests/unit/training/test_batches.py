"""Batches lose no note, keep to their budget and read a note only when it is asked for."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import empty_table, read_table, write_table
from longtail_icd.training.batches import TokenBudgetSampler, TokenDataset, number_of_steps
from longtail_icd.training.encoder import train_tokenizer
from longtail_icd.training.tokenization import tokenize


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=60), st.integers(120, 300), st.integers(0, 3)
)
def test_batches_of_a_token_budget(lengths, budget, epoch):
    """Each note once, in as many batches as announced, none empty, none over the budget."""
    sampler = TokenBudgetSampler(np.array(lengths, dtype=np.uint32), budget, seed=1)
    sampler.set_epoch(epoch)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        assert 0 < sum(lengths[row] for row in batch) <= budget
    assert batches == list(sampler)


def test_batches_of_a_budget_hold_similar_lengths_and_other_notes_each_epoch():
    lengths = np.arange(1, 401)
    sampler = TokenBudgetSampler(lengths, 4000, seed=1)
    spread = [np.ptp(lengths[batch]) for batch in sampler]
    assert max(spread) < 200  # notes anyhow would spread by almost 400
    first = {frozenset(batch) for batch in sampler}
    sampler.set_epoch(1)
    assert not first & {frozenset(batch) for batch in sampler}


def test_steps_count_the_short_batch_a_broken_epoch_and_batches_of_a_budget():
    settings = {"batch_size": 16, "batch_tokens": None, "epochs": 2}
    lengths = np.full(33, 10)
    assert number_of_steps(lengths, settings) == 6
    assert number_of_steps(lengths, settings | {"epochs": 0.5}) == 2
    # 330 tokens in batches of 100 less one note's 10: four.
    assert number_of_steps(lengths, settings | {"batch_tokens": 100}) == 8
    assert number_of_steps(lengths[:0], settings | {"batch_tokens": 100}) == 0


def _mapped(path, rows=2000, length=4000):
    ids = np.arange(rows * length, dtype=np.int32).reshape(rows, length)
    tokens = pl.DataFrame(
        {
            "note_id": [str(row) for row in range(rows)],
            "input_ids": pl.Series(ids).arr.to_list(),
            "label_ids": pl.Series([[row % 3] for row in range(rows)], dtype=pl.List(pl.Int32)),
            "anchor_id": pl.Series([None] * rows, dtype=pl.Int32),
        }
    )
    write_table(tokens, path, "training/tokens")
    return tokens


def _private_mb():
    status = Path("/proc/self/status").read_text().splitlines()
    found = next(line for line in status if line.startswith("RssAnon"))
    return int(found.split()[1]) / 1024


def test_a_dataset_over_a_mapped_table_holds_no_tokens(tmp_path):
    """Also when tables are put together: 32 MB of tokens each, none of them copied."""
    tokens = _mapped(tmp_path / "tokens.arrow")
    before = _private_mb()
    real, added = (read_table(tmp_path / "tokens.arrow", "training/tokens") for _ in range(2))
    notes = TokenDataset(pl.concat([real, added]).with_columns(guideline_labels="label_ids"))
    found = [notes[row]["input_ids"] for row in range(0, len(notes), 500)]
    assert _private_mb() - before < 16
    expected = [tokens["input_ids"][row].to_list() for row in range(0, tokens.height, 500)]
    assert [ids.tolist() for ids in found] == expected * 2
    assert (len(notes), notes.lengths.tolist()) == (4000, [4000] * 4000)
    assert notes[2001]["guideline_labels"].tolist() == [1]
    assert not notes[0]["input_ids"].flags.owndata


def test_a_recipe_without_notes_has_an_empty_table(tmp_path):
    write_table(empty_table("training/tokens"), tmp_path / "tokens.arrow", "training/tokens")
    empty = read_table(tmp_path / "tokens.arrow", "training/tokens")
    assert (len(TokenDataset(empty)), empty.schema["input_ids"]) == (0, pl.List(pl.Int32))


def test_a_broken_arrow_table_is_one_clear_error(tmp_path):
    path = tmp_path / "tokens.arrow"
    _mapped(path, rows=2, length=3)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(UserError, match="not a readable Arrow file; run `snakemake -R tokenize_"):
        read_table(path, "training/tokens")


def test_notes_that_are_cut_are_counted_and_an_empty_one_keeps_its_marks(capsys):
    tokenizer = train_tokenizer(["one two three four five six seven"] * 3, 300)
    notes = pl.DataFrame(
        {"note_id": list("abc"), "text": ["one two three four five six", "", "one"]}
    ).with_columns(anchor=pl.lit(None, dtype=pl.String))
    labels = pl.DataFrame({"note_id": ["a"], "code": ["1"]})
    tokens = tokenize(notes, labels, ["1", "2"], tokenizer, 5)
    assert tokens["input_ids"].list.len().to_list() == [5, 2, 3]
    assert tokens["label_ids"].to_list() == [[0], [], []]
    assert "1 notes are longer than 5 tokens and were cut" in capsys.readouterr().out
