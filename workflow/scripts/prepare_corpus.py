"""Rule `prepare_corpus`: raw tables to documents and their codes, with a manifest."""

import os

from longtail_icd.common.files import write_json
from longtail_icd.common.script import run
from longtail_icd.corpus.manifest import build_manifest
from longtail_icd.corpus.prepare import prepare


def main(snakemake):
    settings = snakemake.params.settings
    files = dict(snakemake.input.items())
    code_list = files.get("code_list")
    # Without a path of its own the corpus is the simulated hospital, whose folder its tables know.
    tables = [path for name, path in files.items() if name != "code_list"]
    folder = snakemake.params.path or os.path.commonpath(tables)
    prepared = prepare(
        folder,
        snakemake.output.notes,
        snakemake.output.labels,
        code_list=code_list,
        **settings,
    )
    manifest = build_manifest(prepared, files, settings)
    write_json(manifest, snakemake.output.manifest)
    for reason, rows in manifest["rows"].items():
        print(f"{reason}: {rows}")


if __name__ == "__main__":
    run(main, snakemake)
