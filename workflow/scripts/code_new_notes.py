"""Rule `code_new_notes`: a user's own notes to codes; `code_notes.py` without Snakemake."""

from pathlib import Path

import torch
from longtail_icd.common.script import run
from longtail_icd.prediction.coder import NoteCoder
from longtail_icd.prediction.notes import Columns, read_notes
from longtail_icd.prediction.run import code_notes


def main(snakemake):
    torch.set_num_threads(snakemake.threads)
    settings, codes = snakemake.params.settings, snakemake.output.codes
    # Passages are text of notes that someone else's licence may hold for.
    Path(codes).parent.chmod(0o700)
    columns = Columns(settings["id_column"], settings["text_column"])
    coder = NoteCoder(snakemake.input.model, settings["top"], settings["passages"])
    pages = {settings["page"]: Path(snakemake.output.page)} if settings["page"] else {}
    code_notes(read_notes(snakemake.input.notes, columns), coder, codes, pages)


if __name__ == "__main__":
    run(main, snakemake)
