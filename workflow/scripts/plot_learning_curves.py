"""Rule `plot_learning_curves`: training loss and dev MAP of every run."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table
from longtail_icd.report.learning_curves import plot_learning_curves


def main(snakemake):
    params = snakemake.params
    histories = {
        name: read_table(path, "training/history")
        for name, path in zip(params.runs, snakemake.input.histories, strict=True)
    }
    plot_learning_curves(histories, params.train_sets, snakemake.output.figure)


if __name__ == "__main__":
    run(main, snakemake)
