"""Rule `learn_train_facts`: what screening knows of the train notes, learnt once."""

from longtail_icd.common.progress import progress
from longtail_icd.common.script import run
from longtail_icd.common.tables import count_rows, scan_table
from longtail_icd.generation.screening.facts import learn_facts, save_facts, train_notes
from longtail_icd.generation.screening.load import load_fidelity


def main(snakemake):
    inputs = snakemake.input
    train = train_notes(
        scan_table(inputs.notes, "corpus/notes"), scan_table(inputs.labels, "corpus/labels")
    )
    count = count_rows(inputs.notes, "corpus/notes")
    fidelity = load_fidelity(dict(inputs.items()))
    save_facts(learn_facts(progress(train, count, "train notes"), fidelity), snakemake.output.facts)


if __name__ == "__main__":
    run(main, snakemake)
