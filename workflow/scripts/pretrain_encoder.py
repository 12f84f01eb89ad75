"""Rule `pretrain_encoder`: go on with an encoder's pre-training on the train notes."""

import shutil
from itertools import chain
from pathlib import Path

import torch
from longtail_icd.common.script import run
from longtail_icd.common.tables import scan_table
from longtail_icd.training.checkpoints import fingerprint
from longtail_icd.training.pretraining import pretrain, read_documents


def read_texts(notes):
    """Yield the texts of the train notes."""
    for batch in scan_table(notes, "corpus/notes").select("text").collect_batches():
        yield from batch["text"]


def main(snakemake):
    torch.set_num_threads(snakemake.threads)
    source, params = snakemake.input, snakemake.params
    texts = chain(read_texts(source.notes), read_documents(source.texts))
    run_hash = fingerprint(dict(params.items()), [Path(path) for path in source])
    folder = Path(snakemake.output.encoder)
    checkpoints = folder.with_name(f"{folder.name}_checkpoints")
    pretrain(
        Path(source.encoder),
        texts,
        params.settings,
        params.chunk,
        params.seed,
        checkpoints / run_hash,
        folder,
    )
    shutil.rmtree(checkpoints)


if __name__ == "__main__":
    run(main, snakemake)
