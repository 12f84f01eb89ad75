"""Rule `simulate_hospital`: a hospital that does not exist, as the files of MIMIC-III."""

from pathlib import Path

from longtail_icd.common.script import run
from longtail_icd.corpus.mimic_tables import write_hospital
from longtail_icd.corpus.simulation import simulate


def main(snakemake):
    tables = simulate(snakemake.params.simulation, snakemake.input.ranges, snakemake.input.prose)
    write_hospital(tables, Path(snakemake.output.notes).parent)
    for name, frame in tables.items():
        print(f"{name}: {frame.height} rows")


if __name__ == "__main__":
    run(main, snakemake)
