"""Rules `train_plm_icd` and `train_gki_icd`: fine-tune one model on one train set with one seed."""

import shutil
from pathlib import Path

import torch
from longtail_icd.common.script import run
from longtail_icd.common.tables import count_rows, read_table, write_table
from longtail_icd.training.batches import Collator, TokenDataset
from longtail_icd.training.build import build_model
from longtail_icd.training.checkpoints import fingerprint
from longtail_icd.training.guideline import Guidelines, titles_of
from longtail_icd.training.model_folder import save_model
from longtail_icd.training.train_set import assemble, number_of_steps
from longtail_icd.training.trainer import train
from transformers import AutoTokenizer


def main(snakemake):
    torch.set_num_threads(snakemake.threads)
    source, params, seed = snakemake.input, snakemake.params, int(snakemake.wildcards.seed)
    labels = read_table(source.tiers, "plan/tiers")
    codes = labels["code"].to_list()
    tokenizer = AutoTokenizer.from_pretrained(source.encoder)

    real = read_table(source.train, "training/tokens")
    synthetic = [read_table(path, "training/tokens") for path in source.synthetic]
    options = params.train_set
    tokens, weights = assemble(real, synthetic, options["weight"], options["permute_anchors"], seed)
    notes = TokenDataset(tokens, weights)
    dev = TokenDataset(read_table(source.dev, "training/tokens"))
    print(f"{real.height} real, {tokens.height - real.height} synthetic notes, {len(codes)} codes")
    pace = tokens.height
    if options["steps_of"]:
        pace = real.height + sum(count_rows(path, "training/tokens") for path in source.steps_of)
    steps = number_of_steps(pace, params.settings["batch_size"], params.settings["epochs"])

    titles, guidelines = codes, None
    if source.knowledge:
        taxonomy = read_table(source.knowledge[0], "terminology/codes")
        titles = titles_of(labels, taxonomy)
        if params.settings["guideline"]:
            synonyms = read_table(source.knowledge[1], "terminology/synonyms")
            guidelines = Guidelines(labels, titles, taxonomy, synonyms)
    model = build_model(
        params.model, source.encoder, tokenizer, titles, params.settings, params.chunk, seed
    )
    collator = Collator(len(codes), tokenizer, guidelines, seed, max_length=params.max_length)

    identity = {
        "code": params.code,
        "model": params.model,
        "settings": params.settings,
        "train_set": options,
        "tokens": [params.chunk, params.max_length],
        "seed": seed,
    }
    run_hash = fingerprint(identity, [Path(path) for path in source])
    checkpoints = Path(snakemake.output.model).parent / "checkpoints"
    history = train(
        model, notes, dev, collator, params.settings, steps, seed, checkpoints / run_hash
    )
    write_table(history, snakemake.output.history, "training/history")
    save_model(model, tokenizer, codes, Path(snakemake.output.model))
    shutil.rmtree(checkpoints)


if __name__ == "__main__":
    run(main, snakemake)
