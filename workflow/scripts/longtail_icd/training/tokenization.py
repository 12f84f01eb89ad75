"""Notes to token ids, codes to label ids: once, before any training."""

import polars as pl
from transformers import PreTrainedTokenizerBase

from longtail_icd.common.progress import progress

BATCH = 256


def _token_ids(
    texts: pl.Series, tokenizer: PreTrainedTokenizerBase, max_length: int
) -> list[list[int]]:
    """Tokenise whole notes: one start, one end mark, cut at ``max_length`` tokens."""
    starts = range(0, len(texts), BATCH)
    ids: list[list[int]] = []
    for start in progress(starts, len(starts), "batches tokenised"):
        batch = texts[start : start + BATCH].to_list()
        inner = tokenizer(batch, add_special_tokens=False, verbose=False)["input_ids"]
        ids += [
            [tokenizer.bos_token_id, *note[: max_length - 2], tokenizer.eos_token_id]
            for note in inner
        ]
    return ids


def tokenize(
    notes: pl.DataFrame,
    labels: pl.DataFrame,
    codes: list[str],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
) -> pl.DataFrame:
    """Return the table training/tokens.

    Args:
        notes: note_id, text and, for synthetic notes, anchor.
        labels: note_id, code; codes outside the label space are dropped and counted.
        codes: the label space, sorted: the position is the label id.
        tokenizer: the encoder's.
        max_length: tokens kept of a note, start and end marks included.
    """
    ids = pl.DataFrame({"code": codes}).with_row_index("label").cast({"label": pl.Int32})
    known = labels.join(ids, on="code", how="left")
    outside = known["label"].null_count()
    if outside:
        print(f"{outside} labels are outside the label space and were dropped")
    grouped = (
        known.drop_nulls("label").group_by("note_id").agg(pl.col("label").sort().alias("label_ids"))
    )
    anchors = notes.join(
        ids.rename({"code": "anchor"}), on="anchor", how="left", maintain_order="left"
    )
    frame = notes.select("note_id").join(grouped, on="note_id", how="left", maintain_order="left")
    return frame.with_columns(
        pl.Series("input_ids", _token_ids(notes["text"], tokenizer, max_length)).cast(
            pl.List(pl.Int32)
        ),
        pl.col("label_ids").fill_null(pl.lit([], dtype=pl.List(pl.Int32))),
        anchors["label"].alias("anchor_id"),
    )
