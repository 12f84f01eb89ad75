"""A training step of a coder, against the plain padded and materialised way of writing it.

Note lengths follow MIMIC-III: words are lognormal with median 1,375 and sigma 0.47, and a word is
1.3 tokens; a batch has as many quantiles of that law as it has notes, cut at ``--tokens``.
Guidelines (GKI-ICD) have a median of 330 tokens and sigma 0.5.

Each implementation runs in a child process of its own. Its first step is without dropout, and its
logits and gradients are compared with the other's; the best of the next is the time. FLOPs are
those of the encoder's and the label attention's matrix products on real tokens, forward and twice
that backward; nothing is counted for padding or for what a backward pass makes again.
"""

import argparse
import statistics
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from measure import measured, report

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

# hidden size, layers, heads, vocabulary
ENCODERS = {
    "tiny": (128, 1, 4, 4_000),
    "small": (256, 4, 4, 50_001),
    "base": (768, 12, 12, 50_001),
}
CHUNK, PAD, DROPOUT = 128, 1, 0.1
NOTE_TOKENS, NOTE_SIGMA = 1_375 * 1.3, 0.47
GUIDELINE_TOKENS, GUIDELINE_SIGMA = 330, 0.5
CODES_PER_NOTE = 16
EPOCHS = {"original": 47_723, "extended": 137_675}  # notes of MIMIC-III
COMPARED = 1_000_000  # elements of the gradient at most


def quantiles(median, sigma, count, limit):
    """Return ``count`` lengths that stand for a lognormal law."""
    normal = statistics.NormalDist()
    return [
        min(limit, round(median * np.exp(sigma * normal.inv_cdf((i + 0.5) / count))))
        for i in range(count)
    ]


def make_model(options, codes):
    import torch  # noqa: PLC0415
    from longtail_icd.training.model_folder import MODELS  # noqa: PLC0415

    torch.manual_seed(0)
    hidden, layers, heads, vocabulary = ENCODERS[options.encoder]
    encoder = {
        "model_type": "roberta",
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * hidden,
        "max_position_embeddings": CHUNK + 2,
        "type_vocab_size": 1,
        "pad_token_id": PAD,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    kind = MODELS[options.model]
    model = kind(kind.config_class(encoder=encoder, labels=codes, chunk=CHUNK))
    if options.model == "gki_icd":
        model.rdrop_active = True
    if options.checkpointing:
        model.encoder.activation_checkpointing_enable()
    return model.to(options.device).train()


def plain_encoder(encoder):
    """Return the encoder as transformers makes it, with torch's own dropout."""
    from transformers import AutoModel  # noqa: PLC0415

    config = encoder.config
    plain = AutoModel.from_config(config, attn_implementation="sdpa", add_pooling_layer=False)
    plain.load_state_dict(encoder.state_dict())
    return plain.to(encoder.device).train()


def make_batch(options, codes, scale):
    """Return random notes, their targets and, for GKI-ICD, guidelines."""
    import torch  # noqa: PLC0415

    draw = np.random.default_rng(0)
    vocabulary = ENCODERS[options.encoder][3]

    def texts(median, sigma):
        lengths = quantiles(median * scale, sigma, options.notes, round(options.tokens * scale))
        ids = [draw.integers(5, vocabulary, length) for length in draw.permutation(lengths)]
        return [torch.from_numpy(one).to(options.device) for one in ids]

    notes = texts(NOTE_TOKENS, NOTE_SIGMA)
    guided = options.model == "gki_icd"
    guidelines = texts(GUIDELINE_TOKENS, GUIDELINE_SIGMA) if guided else None
    targets = draw.random((options.notes, codes)) < CODES_PER_NOTE / codes
    return notes, torch.from_numpy(targets).float().to(options.device), guidelines


def our_step(model, notes, targets, guidelines=None):
    """Return loss and logits; the counterpart of padded_step."""
    import torch  # noqa: PLC0415

    extra = {}
    if guidelines is not None:
        extra = {
            "guideline_ids": torch.cat(guidelines),
            "guideline_lengths": [len(text) for text in guidelines],
        }
    output = model(torch.cat(notes), [len(note) for note in notes], targets, **extra)
    return output.loss, output.logits


def padded_step(*inputs):
    """See padded_coders.py; imported in the child, as torch is."""
    import padded_coders  # noqa: PLC0415

    return padded_coders.padded_step(*inputs)


def step_flops(model, texts):
    """Return the FLOPs of a step that reads ``texts`` (lengths), padding and optimizer aside."""
    config = model.encoder.config
    size, layers, codes = config.hidden_size, config.num_hidden_layers, model.config.labels
    tokens = sum(texts)
    linear = 2 * tokens * (4 * size**2 + 2 * size * config.intermediate_size)
    rests = sum((length % CHUNK) ** 2 for length in texts)
    attention = 4 * size * (sum(length // CHUNK for length in texts) * CHUNK**2 + rests)
    head = 4 * tokens * codes * size + 2 * tokens * size**2 * (1 if hasattr(model, "first") else 2)
    return 3 * (layers * (linear + attention) + head)


def matmul_rate(options):
    """Return the FLOP/s of a large matrix product, in what the step computes in."""
    import torch  # noqa: PLC0415

    size = 8192 if options.device == "cuda" else 1536
    kind = torch.bfloat16 if options.device == "cuda" else torch.float32
    first, second = (torch.randn(size, size, device=options.device, dtype=kind) for _ in "ab")
    return 2 * size**3 / best_time(lambda: first @ second, 10, options)[0]


def best_time(function, repeats, options):
    """Return the least wall and CPU seconds of ``repeats`` calls: other work only slows."""
    import torch  # noqa: PLC0415

    times = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        function()
        if options.device == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    return tuple(map(min, zip(*times, strict=True)))


def train_steps(step, options, scale=1.0, codes=None):
    """Return the figures of a training step and, of a first one without dropout, its results."""
    import torch  # noqa: PLC0415

    torch.set_num_threads(options.threads)
    codes = codes or options.codes
    model = make_model(options, codes)
    if step is padded_step:
        model.encoder = plain_encoder(model.encoder)
    notes, targets, guidelines = make_batch(options, codes, scale)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, fused=True)
    half = torch.autocast("cuda", dtype=torch.bfloat16, enabled=options.device == "cuda")

    def forward_and_backward():
        with half:
            loss, logits = step(model, notes, targets, guidelines)
        loss.backward()
        return logits

    logits = forward_and_backward().detach().float().cpu().numpy()
    gradient = torch.cat([one.grad.flatten() for one in model.parameters() if one.grad is not None])
    gradient = gradient[:: len(gradient) // COMPARED + 1].float().cpu().numpy()
    for module in model.encoder.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = DROPOUT

    def whole():
        optimizer.zero_grad()
        forward_and_backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    seconds, cpu_seconds = best_time(whole, options.repeats, options)
    passes = notes if guidelines is None else [*notes, *notes, *guidelines]
    flops = step_flops(model, [len(text) for text in passes])
    figures = {
        "step_s": seconds,
        "step_cpu_s": cpu_seconds,
        "tokens": sum(map(len, notes)),
        "longest": max(map(len, notes)),
        "guideline_tokens": sum(map(len, guidelines or [])),
        "flops": flops,
        "matmul_share": flops / seconds / matmul_rate(options),
    }
    if options.device == "cuda":
        figures["peak_gpu_mb"] = torch.cuda.max_memory_allocated() / 2**20
    return figures, logits, gradient


def largest_difference(ours, theirs):
    """Return the largest difference over the largest value."""
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


def own_figures(options, ours):
    """Return what the report says of our step."""
    notes_per_s = options.notes / ours["step_s"]
    epochs = {
        f"mimic3_{name}_epoch_h": round(notes / notes_per_s / 3600, 2)
        for name, notes in EPOCHS.items()
    }
    gpu = {"peak_gpu_mb": round(ours["peak_gpu_mb"], 1)} if options.device == "cuda" else {}
    return {
        **{key: ours[key] for key in ("wall_s", "cpu_s", "peak_rss_mb")},
        **gpu,
        "step_s": round(ours["step_s"], 4),
        "notes_per_s": round(notes_per_s, 2),
        "tokens_per_s": round(ours["tokens"] / ours["step_s"], 1),
        "matmul_share": round(ours["matmul_share"], 3),
        **epochs,
    }


def against_yardstick(options, ours, logits, gradient):
    """Run the yardstick; return how it compares, after a look at its results."""
    (plain, expected, slope), process = measured(partial(train_steps, padded_step, options))
    plain |= process
    differences = largest_difference(logits, expected), largest_difference(gradient, slope)
    limit = 0.05 if options.device == "cuda" else 1e-3  # bf16 rounds
    assert max(differences) < limit, f"logits, gradients differ from the yardstick's: {differences}"
    memory = "peak_gpu_mb" if options.device == "cuda" else "peak_rss_mb"
    return {
        "speedup": round(plain["step_s"] / ours["step_s"], 2),
        "cpu_speedup": round(plain["step_cpu_s"] / ours["step_cpu_s"], 2),
        "memory_ratio": round(plain[memory] / ours[memory], 2),
        "yardstick_step_s": round(plain["step_s"], 4),
        "yardstick_peak_mb": round(plain[memory], 1),
        "yardstick_matmul_share": round(plain["matmul_share"], 3),
        "padding_share": round(1 - ours["tokens"] / options.notes / ours["longest"], 2),
        "logits_differ": differences[0],
        "gradients_differ": differences[1],
    }


def doublings(options, whole):
    """Return how much longer a step takes with twice the tokens, and with twice the codes."""
    (short, *_), _ = measured(partial(train_steps, our_step, options, scale=0.5))
    (few, *_), _ = measured(partial(train_steps, our_step, options, codes=options.codes // 2))
    return {
        f"twice_the_{what}{suffix}": round(whole[key] / half[key], 2)
        for what, half in (("tokens", short), ("codes", few))
        for key, suffix in (("step_s", ""), ("step_cpu_s", "_cpu"))
    }


def guidance_cost(options, guided):
    """Return what GKI-ICD's step costs over PLM-ICD's, and what it should cost at most."""
    plain = argparse.Namespace(**vars(options) | {"model": "plm_icd"})
    (figures, *_), _ = measured(partial(train_steps, our_step, plain))
    share = guided["guideline_tokens"] / guided["tokens"]
    return {
        "over_plm_icd": round(guided["step_s"] / figures["step_s"], 2),
        "cpu_over_plm_icd": round(guided["step_cpu_s"] / figures["step_cpu_s"], 2),
        "over_plm_icd_limit": round(1.15 * 2 * (1 + share), 2),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=["plm_icd", "plm_ca", "gki_icd"], default="plm_icd")
    parser.add_argument("--encoder", choices=sorted(ENCODERS), default="tiny")
    parser.add_argument("--codes", type=int, default=400)
    parser.add_argument("--tokens", type=int, default=3072, help="limit of a note")
    parser.add_argument("--notes", type=int, default=16, help="of a batch")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="leave the yardstick out")
    parser.add_argument("--doublings", action="store_true", help="of tokens and codes, too")
    parser.add_argument("--checkpointing", action="store_true", help="gradient checkpointing")
    options = parser.parse_args()
    (ours, *results), process = measured(partial(train_steps, our_step, options))
    ours |= process
    figures = own_figures(options, ours)
    if not options.alone:
        figures |= against_yardstick(options, ours, *results)
    if options.model == "gki_icd":
        figures |= guidance_cost(options, ours)
    if options.doublings:
        figures |= doublings(options, ours)
    report(stage="training", model=options.model, encoder=options.encoder, **figures)


if __name__ == "__main__":
    main()
