"""Rules `tokenize_notes` and `tokenize_synthetic_notes`: texts to token ids, codes to label ids."""

import polars as pl
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.corpus.text_recipes import TEXT_RECIPES
from longtail_icd.training.tokenization import tokenize
from transformers import AutoTokenizer


def read_notes(snakemake):
    """Return notes (note_id, text, anchor) and labels (note_id, code), real or synthetic."""
    if snakemake.rule == "tokenize_notes":
        notes = read_table(snakemake.input.notes, "corpus/notes")
        return (
            notes.select("note_id", "text", anchor=pl.lit(None, dtype=pl.String)),
            read_table(snakemake.input.labels, "corpus/labels").select("note_id", "code"),
        )
    # Written notes look like real ones only after what the corpus has done to these.
    recipe = TEXT_RECIPES[snakemake.params.text]
    notes = read_table(snakemake.input.notes, "generation/notes").filter(pl.col("status") == "ok")
    notes = notes.with_columns(recipe(pl.col("text")))
    # Of weight 0 are codes that were asked for and that the note contradicts: it has them not.
    labels = read_table(snakemake.input.labels, "generation/labels").filter(pl.col("weight") > 0)
    return (
        notes.select("text", "anchor", note_id="request_id"),
        labels.join(notes, on="request_id", how="semi").select("code", note_id="request_id"),
    )


def main(snakemake):
    notes, labels = read_notes(snakemake)
    codes = read_table(snakemake.input.tiers, "plan/tiers")["code"].to_list()
    tokenizer = AutoTokenizer.from_pretrained(snakemake.input.encoder)
    tokens = tokenize(notes, labels, codes, tokenizer, snakemake.params.max_length)
    write_table(tokens, snakemake.output.tokens, "training/tokens")


if __name__ == "__main__":
    run(main, snakemake)
