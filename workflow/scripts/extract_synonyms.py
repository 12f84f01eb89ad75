"""Rule `extract_synonyms`: other wordings of the codes of the corpus's code systems."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.terminology.synonyms import extract_synonyms


def main(snakemake):
    files = dict(snakemake.input.items())
    codes = read_table(files["codes"], "terminology/codes")
    synonyms = extract_synonyms(codes, snakemake.params.sources, files)
    write_table(synonyms, snakemake.output.synonyms, "terminology/synonyms")
    print(synonyms.group_by("version", "source").len().sort("version", "source"))


if __name__ == "__main__":
    run(main, snakemake)
