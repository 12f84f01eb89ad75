"""Rule `split_corpus`: the corpus in three parts that share no patient."""

import polars as pl
from longtail_icd.common.script import run
from longtail_icd.common.tables import SPLITS, read_table, scan_table, sink_table, write_table
from longtail_icd.corpus.split import assign_splits, codes_of


def main(snakemake):
    notes = scan_table(snakemake.input.notes, "corpus/prepared_notes")
    labels = read_table(snakemake.input.labels, "corpus/labels")
    assigned = assign_splits(
        notes.select("note_id", "patient_id", "time", "official_split").collect(),
        ids={name: path for name, path in snakemake.input.items() if name in (*SPLITS, "table")},
        labels=labels,
        **snakemake.params.split,
    )
    parts = []
    for split, of_notes, of_labels in zip(
        SPLITS, snakemake.output.notes, snakemake.output.labels, strict=True
    ):
        ids = assigned.filter(split=split)["note_id"]
        sink_table(notes.filter(pl.col("note_id").is_in(ids.implode())), of_notes, "corpus/notes")
        part = labels.filter(pl.col("note_id").is_in(ids.implode()))
        write_table(part, of_labels, "corpus/labels")
        print(f"{split}: {len(ids)} documents, {part.height} labels")
        parts.append(part)
    write_table(codes_of(parts), snakemake.output.codes, "corpus/codes")


if __name__ == "__main__":
    run(main, snakemake)
