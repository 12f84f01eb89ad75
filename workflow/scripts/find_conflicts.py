"""Rule `find_conflicts`: codes of one sex or age only, and codes that contradict each other."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, scan_table, write_table
from longtail_icd.plan import conflicts, demographics
from longtail_icd.plan.bounds import read_bounds


def main(snakemake):
    labels = read_table(snakemake.input.labels, "corpus/labels")
    notes = scan_table(snakemake.input.notes, "corpus/notes")
    tiers = read_table(snakemake.input.tiers, "plan/tiers")
    bound_codes, dropped = demographics.find_demographics(
        tiers,
        read_bounds(snakemake.input.bounds),
        labels,
        notes.select("note_id", "patient_id", "sex", "age").collect(),
    )
    print(demographics.summary(bound_codes, dropped))
    write_table(bound_codes, snakemake.output.demographics, "plan/demographics")
    contradicting = conflicts.find_conflicts(
        read_table(snakemake.input.excludes, "terminology/excludes"),
        read_table(snakemake.input.cooccurrence, "plan/cooccurrence"),
        bound_codes,
        tiers,
        read_table(snakemake.input.taxonomy, "terminology/codes"),
    )
    print(conflicts.summary(contradicting, tiers, labels))
    write_table(contradicting, snakemake.output.conflicts, "plan/conflicts")


if __name__ == "__main__":
    run(main, snakemake)
