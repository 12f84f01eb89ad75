"""Notes to token ids, codes to label ids: once, before any training."""

import polars as pl
from transformers import BatchEncoding, PreTrainedTokenizerBase

from longtail_icd.common.progress import progress

BATCH = 256


def encode(texts: list[str], tokenizer: PreTrainedTokenizerBase, max_length: int) -> BatchEncoding:
    """Tokenise whole texts: one start, one end mark, cut to ``max_length`` tokens with them."""
    return tokenizer(
        texts, truncation=True, max_length=max_length, return_attention_mask=False, verbose=False
    )


def token_ids(
    texts: list[str], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> list[list[int]]:
    """Return the token ids of :func:`encode`."""
    return encode(texts, tokenizer, max_length)["input_ids"]


def _token_column(
    texts: pl.Series, tokenizer: PreTrainedTokenizerBase, max_length: int
) -> pl.Series:
    """Tokenise a column batch by batch: as Python lists, all ids would take ten times as much."""
    column = pl.Series("input_ids", [], dtype=pl.List(pl.Int32))
    starts = range(0, len(texts), BATCH)
    cut = 0
    for start in progress(starts, len(starts), "batches tokenised"):
        encoded = encode(texts[start : start + BATCH].to_list(), tokenizer, max_length)
        cut += sum(bool(text.overflowing) for text in encoded.encodings)
        column.append(pl.Series(encoded["input_ids"], dtype=pl.List(pl.Int32)))
    if cut:
        print(f"{cut} notes are longer than {max_length} tokens and were cut")
    return column


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
        _token_column(notes["text"], tokenizer, max_length),
        pl.col("label_ids").fill_null(pl.lit([], dtype=pl.List(pl.Int32))),
        anchors["label"].alias("anchor_id"),
    )
