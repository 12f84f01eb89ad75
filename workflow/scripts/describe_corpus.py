"""Rule `describe_corpus`: the manifest: what was read, what is left, what was published."""

from longtail_icd.common.files import read_json, write_json
from longtail_icd.common.script import run
from longtail_icd.common.tables import SPLITS
from longtail_icd.corpus import published
from longtail_icd.corpus.describe import as_table, describe
from longtail_icd.corpus.manifest import complete_manifest


def main(snakemake):
    notes = dict(zip(SPLITS, snakemake.input.notes, strict=True))
    labels = dict(zip(SPLITS, snakemake.input.labels, strict=True))
    figures = describe(notes, labels, snakemake.params.tiers)
    print(as_table(figures))
    name = snakemake.params.published
    lines = []
    if name:
        lines = published.compare(
            figures, published.read_published(snakemake.input.published, name)
        )
        print(f"{sum(one['agrees'] for one in lines)} of {len(lines)} figures agree with {name}")
        print(published.as_table(lines))
    manifest = complete_manifest(read_json(snakemake.input.prepared), figures, name, lines)
    print(f"documents in no split: {manifest['documents_in_no_split']}")
    write_json(manifest, snakemake.output.manifest)


if __name__ == "__main__":
    run(main, snakemake)
