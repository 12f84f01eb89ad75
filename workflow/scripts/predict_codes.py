"""Rule `predict_codes`: a trained coder's logits for one split."""

from pathlib import Path

import torch
from longtail_icd.common.script import run
from longtail_icd.common.tables import read_table
from longtail_icd.evaluation.scores import Scores, write_scores
from longtail_icd.training.inference import predict
from longtail_icd.training.model_folder import read_labels


def main(snakemake):
    torch.set_num_threads(snakemake.threads)
    folder = Path(snakemake.input.model)
    tokens = read_table(snakemake.input.tokens, "training/tokens")
    logits = predict(folder, tokens, snakemake.params.batch_size)
    scores = Scores(logits, tokens["note_id"].to_list(), read_labels(folder))
    write_scores(scores, snakemake.output.scores)


if __name__ == "__main__":
    run(main, snakemake)
