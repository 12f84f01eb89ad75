"""Coding new notes with a model folder, against one note after another through the same model.

The notes come from a generator, ``--words`` random words each, so that the peak memory is that of
the prediction; the model has random weights and the demo's encoder, and predicts some 15 codes a
note. The yardstick reads a note, calls tokenizer and model, writes the predicted codes and takes
the next; it knows no passages, so ours is compared without them and reported with them, too.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from contextlib import redirect_stderr
from functools import partial
from pathlib import Path

from measure import measured, report, versus

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

ENCODER = {
    "source": "scratch",
    "vocabulary": 4000,
    "hidden_size": 128,
    "layers": 1,
    "heads": 4,
    "seed": 1,
}
CHUNK, MAX_LENGTH, PREDICTED = 128, 512, 15


def vocabulary():
    draw = random.Random(0)
    syllables = [a + b for a in "bdfklmnprstv" for b in "aeiou"]
    return ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(3000)]


def texts(options):
    draw, words = random.Random(1), vocabulary()
    for _ in range(options.notes):
        yield " ".join(draw.choices(words, k=options.words))


def make_model(folder, options):
    """Write a model folder whose threshold lets some codes a note pass."""
    import numpy as np  # noqa: PLC0415
    from longtail_icd.prediction.coder import NoteCoder  # noqa: PLC0415
    from longtail_icd.training.build import build_model  # noqa: PLC0415
    from longtail_icd.training.encoder import prepare_encoder  # noqa: PLC0415
    from longtail_icd.training.model_folder import Label, save_model  # noqa: PLC0415
    from transformers import AutoTokenizer  # noqa: PLC0415

    few = argparse.Namespace(notes=32, words=options.words)
    prepare_encoder(list(texts(few)), ENCODER, CHUNK, folder / "encoder")
    tokenizer = AutoTokenizer.from_pretrained(folder / "encoder")
    labels = [Label("icd9cm", f"{n:05d}", "diagnosis", f"title {n}") for n in range(options.codes)]
    model = build_model("plm_icd", str(folder / "encoder"), options.codes, {}, CHUNK, 1)
    coder = {"text": "raw", "max_length": MAX_LENGTH, "model": "plm_icd"}
    coder |= {"threshold": {"logit": 0.0}, "calibration": {"slope": 1.0, "intercept": 0.0}}
    save_model(model, tokenizer, labels, coder, folder / "model")
    logits = NoteCoder(folder / "model").logits(list(texts(few)))
    coder["threshold"]["logit"] = float(np.quantile(logits, 1 - PREDICTED / options.codes))
    save_model(model, tokenizer, labels, coder, folder / "model")


def set_threads(options):
    import torch  # noqa: PLC0415

    torch.set_num_threads(options.threads)


def ours(folder, options, passages):
    from longtail_icd.prediction.coder import NoteCoder  # noqa: PLC0415
    from longtail_icd.prediction.notes import Note  # noqa: PLC0415
    from longtail_icd.prediction.run import code_notes  # noqa: PLC0415

    set_threads(options)
    notes = (Note(str(number), text) for number, text in enumerate(texts(options)))
    with Path(os.devnull).open("w") as nowhere, redirect_stderr(nowhere):
        code_notes(
            notes, NoteCoder(folder / "model", passages=passages), str(folder / "ours.jsonl"), {}
        )


def one_by_one(folder, options):
    import torch  # noqa: PLC0415
    from longtail_icd.training.model_folder import load_model  # noqa: PLC0415

    set_threads(options)
    model, tokenizer = load_model(folder / "model")
    model.eval()
    coder = json.loads((folder / "model" / "coder.json").read_text())
    labels = json.loads((folder / "model" / "titles.json").read_text())
    with (folder / "theirs.jsonl").open("w") as output, torch.inference_mode():
        for number, text in enumerate(texts(options)):
            ids = tokenizer(text, truncation=True, max_length=MAX_LENGTH, return_tensors="pt")
            ids = ids["input_ids"][0]
            logits = model(ids, [len(ids)]).logits[0]
            order = logits.argsort(descending=True)
            codes = [
                {**labels[label], "probability": round(torch.sigmoid(logits[label]).item(), 6)}
                for label in order[logits[order] >= coder["threshold"]["logit"]].tolist()
            ]
            output.write(json.dumps({"note_id": str(number), "codes": codes}) + "\n")


def check_same(folder):
    """Compare the codes and probabilities of both, note by note."""
    with (folder / "ours.jsonl").open() as ours_, (folder / "theirs.jsonl").open() as theirs:
        for one, other in zip(ours_, theirs, strict=True):
            found = {code["code"]: code["probability"] for code in json.loads(one)["codes"]}
            known = {code["code"]: code["probability"] for code in json.loads(other)["codes"]}
            shared = found.keys() & known.keys()
            # A logit at the very threshold may fall on either side of it.
            assert len(found.keys() ^ known.keys()) <= 1
            assert all(abs(found[code] - known[code]) < 1e-4 for code in shared)


def against_yardstick(folder, options):
    """Run the yardstick, and ours without passages; return how they compare."""
    _, plain = measured(partial(ours, folder, options, passages=0))
    _, yardstick = measured(partial(one_by_one, folder, options))
    check_same(folder)
    return {
        **versus(plain, yardstick),
        "cpu_speedup": round(yardstick["cpu_s"] / plain["cpu_s"], 2),
        "yardstick_notes_per_s": round(options.notes / yardstick["wall_s"], 1),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", type=int, default=2000)
    parser.add_argument("--words", type=int, default=60, help="of a note")
    parser.add_argument("--codes", type=int, default=560)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--alone", action="store_true", help="leave the yardstick out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured(partial(make_model, folder, options))
        _, figures = measured(partial(ours, folder, options, passages=3))
        figures["notes_per_s"] = round(options.notes / figures["wall_s"], 1)
        figures["notes_per_cpu_s"] = round(options.notes / figures["cpu_s"], 1)
        if not options.alone:
            figures |= against_yardstick(folder, options)
    report(stage="prediction", notes=options.notes, **figures)


if __name__ == "__main__":
    main()
