"""Rule `simulate_hospital`: a hospital that does not exist, as the files of MIMIC-III or IV."""

import os

from longtail_icd.common.script import run
from longtail_icd.corpus.simulator.simulation import simulate


def main(snakemake):
    rows = simulate(
        snakemake.params.simulation,
        snakemake.input.ranges,
        snakemake.input.prose,
        os.path.commonpath(snakemake.output),
        snakemake.threads,
    )
    for name, height in rows.items():
        print(f"{name}: {height} rows")


if __name__ == "__main__":
    run(main, snakemake)
