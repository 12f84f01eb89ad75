"""Rule `prepare_corpus`: raw tables to documents and their codes, with a manifest."""

from longtail_icd.common.files import write_json
from longtail_icd.common.script import run
from longtail_icd.corpus.manifest import build_manifest
from longtail_icd.corpus.prepare import prepare


def main(snakemake):
    settings = snakemake.params.settings
    files = dict(snakemake.input.items())
    prepared = prepare(
        snakemake.params.path,
        snakemake.output.notes,
        snakemake.output.labels,
        code_list=files.get("code_list"),
        **settings,
    )
    manifest = build_manifest(prepared, files, settings)
    write_json(manifest, snakemake.output.manifest)
    for reason, rows in manifest["rows"].items():
        print(f"{reason}: {rows}")


if __name__ == "__main__":
    run(main, snakemake)
