"""Rule `extract_taxonomy`: every node of the corpus's code systems, with title and place."""

from longtail_icd.common.codes import code_systems
from longtail_icd.common.script import run
from longtail_icd.common.tables import write_table
from longtail_icd.terminology.d_icd import read_d_icd
from longtail_icd.terminology.headings import read_headings
from longtail_icd.terminology.taxonomy import add_codes, extract_taxonomy


def main(snakemake):
    files = dict(snakemake.input.items())
    headings = read_headings(files["headings"]) if "headings" in files else None
    versions = code_systems(snakemake.params.adapter, snakemake.params.edition)
    codes = extract_taxonomy(versions, files["ranges"], headings)
    if "d_icd_diagnoses" in files:
        codes = add_codes(codes, read_d_icd(files))
    write_table(codes, snakemake.output.codes, "terminology/codes")
    print(codes.group_by("version", "title_source").len().sort("version", "title_source"))


if __name__ == "__main__":
    run(main, snakemake)
