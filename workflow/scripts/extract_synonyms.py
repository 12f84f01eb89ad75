"""Rule `extract_synonyms`: other wordings of the codes of the corpus's code systems."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import write_table
from longtail_icd.terminology.synonyms import extract_synonyms
from longtail_icd.terminology.taxonomy import CODE_SYSTEMS_OF


def main(snakemake):
    synonyms = extract_synonyms(CODE_SYSTEMS_OF[snakemake.params.adapter])
    write_table(synonyms, snakemake.output.synonyms, "terminology/synonyms")
    print(synonyms.group_by("version", "source").len().sort("version", "source"))


if __name__ == "__main__":
    run(main, snakemake)
