"""Rules `train_plm_icd` and `train_gki_icd`: fine-tune one model on one train set with one seed."""

from pathlib import Path

import torch
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.training.batches import Collator, TokenDataset
from longtail_icd.training.build import build_model
from longtail_icd.training.guideline import Guidelines
from longtail_icd.training.model_folder import save_model
from longtail_icd.training.train_set import assemble
from longtail_icd.training.trainer import fingerprint, train
from transformers import AutoTokenizer


def main(snakemake):
    torch.set_num_threads(snakemake.threads)
    source, params, seed = snakemake.input, snakemake.params, int(snakemake.wildcards.seed)
    label_space = read_table(source.tiers, "plan/tiers")
    taxonomy = read_table(source.codes, "terminology/codes")
    codes = label_space["code"].to_list()
    titles = dict(taxonomy.select("code", "title").iter_rows())
    tokenizer = AutoTokenizer.from_pretrained(source.encoder)

    real = read_table(source.train, "training/tokens")
    synthetic = [read_table(path, "training/tokens") for path in source.synthetic]
    options = params.train_set
    tokens, weights = assemble(real, synthetic, options["weight"], options["permute_anchors"], seed)
    dev = TokenDataset(read_table(source.dev, "training/tokens"))
    print(
        f"{real.height} real and {tokens.height - real.height} synthetic notes, {len(codes)} codes"
    )

    model = build_model(
        params.model,
        source.encoder,
        tokenizer,
        [titles.get(code, code) for code in codes],
        params.settings,
        params.chunk,
        seed,
    )
    guidelines = None
    if params.settings.get("guideline"):
        synonyms = read_table(source.synonyms, "terminology/synonyms")
        guidelines = Guidelines(codes, taxonomy, synonyms)
    collator = Collator(len(codes), params.chunk, tokenizer, guidelines, seed)

    files = [source.train, source.dev, source.tiers, *source.synthetic]
    run_hash = fingerprint(
        {"settings": params.settings, "train_set": options, "seed": seed, "code": params.code},
        [Path(path) for path in files],
    )
    checkpoints = Path(snakemake.output.model).parent / "checkpoints" / run_hash
    notes = TokenDataset(tokens, weights, guided=True)
    history = train(model, notes, dev, collator, params.settings, seed, checkpoints)
    write_table(history, snakemake.output.history, "training/history")
    save_model(model, tokenizer, codes, Path(snakemake.output.model))


if __name__ == "__main__":
    run(main, snakemake)
