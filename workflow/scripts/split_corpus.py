"""Rule `split_corpus`: the corpus in three parts that share no patient."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import SPLITS, read_table, scan_table, write_table
from longtail_icd.corpus.split import assign_splits, codes_of


def main(snakemake):
    notes = scan_table(snakemake.input.notes, "corpus/prepared_notes")
    labels = read_table(snakemake.input.labels, "corpus/labels")
    assigned = assign_splits(
        notes.select("note_id", "patient_id", "official_split").collect(),
        ids={split: path for split, path in snakemake.input.items() if split in SPLITS},
        **snakemake.params.split,
    )
    parts = []
    for split, of_notes, of_labels in zip(
        SPLITS, snakemake.output.notes, snakemake.output.labels, strict=True
    ):
        ids = assigned.filter(split=split).select("note_id")
        # One split's text at a time.
        own = notes.join(ids.lazy(), on="note_id", how="semi", maintain_order="left").collect()
        write_table(own, of_notes, "corpus/notes")
        part = labels.join(ids, on="note_id", how="semi", maintain_order="left")
        write_table(part, of_labels, "corpus/labels")
        print(f"{split}: {own.height} documents, {part.height} labels")
        parts.append(part)
    write_table(codes_of(parts), snakemake.output.codes, "corpus/codes")


if __name__ == "__main__":
    run(main, snakemake)
