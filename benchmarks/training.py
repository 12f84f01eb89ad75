"""Train steps and prediction of both models, against the plain padded and materialised way.

The yardstick is PLM-ICD as it is usually written, its masks put right: every chunk of the padded
batch goes through the encoder, and the label attention's scores are made in full. Both give the
same logits.
"""

import argparse
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from measure import measured, report, versus

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

PAD = 1


def make_model(kind, options):
    import torch  # noqa: PLC0415
    from longtail_icd.training.model_folder import MODELS  # noqa: PLC0415

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = MODELS[kind]
    encoder = {
        "model_type": "roberta",
        "vocab_size": 4000,
        "hidden_size": options.hidden,
        "num_hidden_layers": options.layers,
        "num_attention_heads": 4,
        "intermediate_size": 4 * options.hidden,
        "max_position_embeddings": options.chunk + 2,
        "type_vocab_size": 1,
        "pad_token_id": PAD,
    }
    return model(model.config_class(encoder=encoder, labels=options.labels, chunk=options.chunk))


def make_batch(options, mean):
    """Return random notes of one batch, lengths a quarter around ``mean``, and their targets."""
    import torch  # noqa: PLC0415
    from longtail_icd.training.batches import pad  # noqa: PLC0415

    generator = np.random.default_rng(0)
    lengths = generator.integers(int(mean * 0.75), int(mean * 1.25) + 1, options.batch)
    ids, mask = pad([generator.integers(5, 4000, length) for length in lengths], options.chunk, PAD)
    share = 6 / options.labels
    targets = torch.from_numpy(generator.random((options.batch, options.labels)) < share).float()
    return ids, mask, targets


def plain_forward(model, ids, mask, targets=None):
    """PLM-ICD with every padded chunk encoded and the scores [B, L, T] made in full."""
    import torch  # noqa: PLC0415
    import torch.nn.functional as F  # noqa: PLC0415

    notes, length = ids.shape
    real = mask.view(-1, model.config.chunk).long()
    # A chunk of padding alone has nothing to attend to; its states are masked below.
    real = torch.where(real.any(dim=1, keepdim=True), real, torch.ones_like(real))
    states = model.encoder(input_ids=ids.view(-1, model.config.chunk), attention_mask=real)
    hidden = states.last_hidden_state.view(notes, length, -1)
    scores = torch.tanh(model.first(hidden)) @ model.queries.T
    weights = scores.masked_fill(~mask.unsqueeze(2), float("-inf")).softmax(dim=1)
    logits = ((weights.transpose(1, 2) @ hidden) * model.classifier).sum(dim=2) + model.bias
    loss = None if targets is None else F.binary_cross_entropy_with_logits(logits, targets)
    return loss, logits


def our_forward(model, ids, mask, targets=None, **guideline):
    output = model(ids, mask, targets, **guideline)
    return output.loss, output.logits


def steps(kind, forward, full, options):
    """Return notes per second of a train step, the best of several (other work only slows)."""
    import torch  # noqa: PLC0415

    model = make_model(kind, options).train()
    ids, mask, targets = make_batch(options, options.tokens)
    extra = {}
    if full:
        model.rdrop_active = True
        guideline = make_batch(options, options.tokens // 3)
        extra = {"guideline_ids": guideline[0], "guideline_mask": guideline[1]}
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    times = []
    for _ in range(options.repeats + 1):
        start = time.perf_counter()
        forward(model, ids, mask, targets, **extra)[0].backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        times.append(time.perf_counter() - start)
    return options.batch / min(times)


def prediction(forward, options):
    """Return PLM-ICD's logits and notes per second in prediction."""
    import torch  # noqa: PLC0415

    model = make_model("plm_icd", options).eval()
    ids, mask, _ = make_batch(options, options.tokens)
    times = []
    with torch.inference_mode():
        for _ in range(options.repeats + 1):
            start = time.perf_counter()
            logits = forward(model, ids, mask)[1]
            times.append(time.perf_counter() - start)
    return logits.numpy(), options.batch / min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=16, help="notes per batch")
    parser.add_argument("--tokens", type=int, default=200, help="mean tokens per note")
    parser.add_argument("--labels", type=int, default=400)
    parser.add_argument("--hidden", type=int, default=128, help="hidden size of the encoder")
    parser.add_argument("--layers", type=int, default=1, help="layers of the encoder")
    parser.add_argument("--chunk", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=10)
    options = parser.parse_args()
    rate, ours = measured(partial(steps, "plm_icd", our_forward, False, options))
    plain_rate, yardstick = measured(partial(steps, "plm_icd", plain_forward, False, options))
    guided, _ = measured(partial(steps, "gki_icd", our_forward, False, options))
    full, full_figures = measured(partial(steps, "gki_icd", our_forward, True, options))
    (logits, predicted), _ = measured(partial(prediction, our_forward, options))
    (expected, plain_predicted), _ = measured(partial(prediction, plain_forward, options))
    difference = float(np.abs(logits - expected).max())
    assert difference < 1e-4, f"logits differ from the yardstick's by {difference}"
    report(
        stage="training",
        **ours,
        **versus(ours, yardstick) | {"speedup": round(rate / plain_rate, 2)},
        plm_icd_train_notes_per_s=round(rate, 1),
        gki_icd_one_pass_train_notes_per_s=round(guided, 1),
        gki_icd_full_train_notes_per_s=round(full, 1),
        gki_icd_full_peak_rss_mb=full_figures["peak_rss_mb"],
        predict_notes_per_s=round(predicted, 1),
        predict_speedup=round(predicted / plain_predicted, 2),
        largest_logit_difference=difference,
    )


if __name__ == "__main__":
    main()
