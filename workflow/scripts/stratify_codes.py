"""Rule `stratify_codes`: the label space with each code's train frequency and tier."""

from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.plan.tiers import (
    read_label_file,
    sibling_space,
    stratify,
    summary,
    taxonomy_space,
    train_space,
)
from longtail_icd.terminology.lookup import describe_unknown, unknown_warning


def label_space(snakemake, labels, taxonomy):
    match snakemake.params.label_space:
        case "corpus":
            return read_table(snakemake.input.corpus_codes, "corpus/codes")
        case "train":
            return train_space(labels)
        case "siblings":
            return sibling_space(labels, taxonomy)
        case "taxonomy":
            return taxonomy_space(labels, taxonomy, snakemake.params.kinds)
        case "file":
            return read_label_file(snakemake.input.label_file)


def main(snakemake):
    labels = read_table(snakemake.input.labels, "corpus/labels")
    taxonomy = read_table(snakemake.input.taxonomy, "terminology/codes")
    space = label_space(snakemake, labels, taxonomy)
    if warning := unknown_warning(describe_unknown(taxonomy, space)):
        print(warning)
    tiers = stratify(space, labels, snakemake.params.tiers)
    print(summary(tiers))
    write_table(tiers, snakemake.output.tiers, "plan/tiers")


if __name__ == "__main__":
    run(main, snakemake)
