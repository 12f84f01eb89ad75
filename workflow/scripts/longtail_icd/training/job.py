"""One training run from its files to its files, in one process or in one per device."""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import torch
import torch.distributed as dist
from transformers import AutoTokenizer

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import read_json, write_json, write_text
from longtail_icd.common.script import describe
from longtail_icd.common.tables import read_table, write_table
from longtail_icd.training.batches import Collator, TokenDataset, number_of_steps
from longtail_icd.training.build import build_model
from longtail_icd.training.checkpoints import fingerprint
from longtail_icd.training.description_init import initialise_labels
from longtail_icd.training.guideline import Guidelines, titles_of
from longtail_icd.training.model_folder import Label, save_model
from longtail_icd.training.termination import on_termination
from longtail_icd.training.train_set import add_notes, assemble
from longtail_icd.training.trainer import TrainNotes, train

SCRIPTS = Path(__file__).parents[2]
Job = dict[str, Any]
# Keys of a job that its result does not depend on; input files count by their contents.
UNNAMED = {"input", "output", "save_steps", "threads"}


def _tables(paths: list[str], name: str) -> list[pl.DataFrame]:
    return [read_table(path, name) for path in paths]


def _train_notes(job: Job, codes: list[str]) -> TrainNotes:
    """Read the notes of the job's train set and count the steps to train on them."""
    source, options, settings = job["input"], job["train_set"], job["settings"]
    real = read_table(source["train"], "training/tokens")
    added = add_notes(
        _tables(source["synthetic"], "training/tokens"),
        options,
        real,
        _tables(source["code_sets"], "plan/code_sets"),
    )
    labels = _tables(source["verdicts"], "generation/labels")
    tokens, weights = assemble(real, added, options, job["seed"], labels, codes)
    visits = real.height * options["real_passes"]
    print(f"{real.height} real, {tokens.height - visits} added notes, {len(codes)} codes")
    unseen = len(codes) - real["label_ids"].explode().drop_nulls().n_unique()
    print(f"{unseen} codes have no real train note; they are kept")
    paced = [real] * options["real_passes"] + added
    if options["steps_of"]:
        added = add_notes(_tables(source["steps_of"], "training/tokens"), job["pace"], real)
        paced = [real] * job["pace"]["real_passes"] + added
    lengths = pl.concat([notes["input_ids"].list.len() for notes in paced])
    steps = number_of_steps(lengths.to_numpy(), settings)
    return TrainNotes(TokenDataset(tokens, weights), visits, options["order"], steps)


def _knowledge(job: Job, labels: pl.DataFrame) -> tuple[list[str], Guidelines | None]:
    """Return every label's title, and guidelines if the model reads them."""
    taxonomy = read_table(job["input"]["taxonomy"], "terminology/codes")
    titles = titles_of(labels, taxonomy)
    synonyms = _tables(job["input"]["synonyms"], "terminology/synonyms")
    guidelines = Guidelines(labels, titles, taxonomy, *synonyms) if synonyms else None
    return titles, guidelines


def _device() -> torch.device:
    """Return the GPU of this process, or the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def _run_hash(job: Job) -> str:
    """Return the name of the run's checkpoints: of all that decides its result."""
    files = [[value] if isinstance(value, str) else value for value in job["input"].values()]
    identity = {key: value for key, value in job.items() if key not in UNNAMED}
    return fingerprint(identity, [Path(path) for path in chain.from_iterable(files)])


def train_coder(job: Job) -> None:
    """Train one model on one train set with one seed and write its folder and history.

    Args:
        job: JSON values. ``input`` and ``output``: the rule's files by name. ``model``,
            ``settings`` (its block of the configuration), ``train_set`` (the block), ``pace`` (the
            block of the train set named by steps_of), ``text``, ``max_length``, ``chunk``,
            ``seed``, ``code`` (hash of this code), ``save_steps``, ``threads`` (per process).

    Raises:
        UserError: see trainer.train, train_set and model_folder.save_model.
    """
    torch.set_num_threads(job["threads"])
    source, settings, seed = job["input"], job["settings"], job["seed"]
    labels = read_table(source["tiers"], "plan/tiers")
    codes = labels["code"].to_list()
    tokenizer = AutoTokenizer.from_pretrained(source["encoder"])
    notes = _train_notes(job, codes)
    dev = TokenDataset(read_table(source["dev"], "training/tokens"))
    titles, guidelines = _knowledge(job, labels)
    model = build_model(job["model"], source["encoder"], len(codes), settings, job["chunk"], seed)
    model.to(_device())
    initialise_labels(model, titles, tokenizer, settings, notes.notes, notes.real)
    collator = Collator(len(codes), tokenizer, guidelines, seed, max_length=job["max_length"])
    folder = Path(job["output"]["model"])
    checkpoints = folder.parent / "checkpoints"
    run = checkpoints / _run_hash(job)
    unseen = (labels["n_train"] == 0).to_numpy() if settings["calibrate_unseen"] else None
    trained = train(model, notes, dev, collator, settings, seed, run, job["save_steps"], unseen)
    if dist.is_initialized() and dist.get_rank() > 0:
        return
    write_table(trained.history, job["output"]["history"], "training/history")
    coder = {
        "text": job["text"],
        "max_length": job["max_length"],
        "threshold": {"logit": trained.threshold, "kind": "micro_f1 on dev"},
        "calibration": {**asdict(trained.calibration), "kind": "platt on dev"},
        "rescaled_unseen": {**asdict(trained.rescaling), "kind": "platt on dev, by group"},
        "step": trained.step,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "model": job["model"],
        "train_set": job["train_set"],
        "settings": settings,
        "seed": seed,
    }
    named = zip(labels.select("version", "code", "kind").iter_rows(), titles, strict=True)
    save_model(model, tokenizer, [Label(*one, title) for one, title in named], coder, folder)
    shutil.rmtree(checkpoints)


def launch(job: Job, devices: int) -> None:
    """Run train_coder here, or in one process per device under torchrun.

    Raises:
        UserError: fewer GPUs than asked for, or what the job itself raised.
    """
    if devices == 1:
        train_coder(job)
        return
    found = torch.cuda.device_count()
    if 0 < found < devices:
        raise UserError(
            f"models.{job['model']}.devices: {devices}, but this machine offers {found} GPUs"
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "job.json"
        write_json(job | {"threads": max(1, job["threads"] // devices)}, path)
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += [f"--nproc-per-node={devices}", "--module", __name__, str(path)]
        paths = filter(None, [str(SCRIPTS), os.environ.get("PYTHONPATH")])
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
        # A scheduler's SIGTERM goes to every process: the others save and end, this one waits.
        with on_termination(lambda *_: None):
            done = subprocess.run(
                command, env=environment, stdout=sys.stdout, stderr=sys.stdout, check=False
            )
        if done.returncode == 0:
            return
        reason = path.with_suffix(".error")
        if reason.exists():
            raise UserError(reason.read_text(encoding="utf-8"))
        raise UserError(f"training: a process of {devices} failed; the log says how")


def main(path: Path) -> int:
    """Run the job in the file ``path`` as one of its processes; an error goes beside the file."""
    try:
        train_coder(read_json(path))
        return 0
    except UserError as error:
        write_text(str(error), path.with_suffix(".error"))
    except Exception as error:
        print(describe(error))
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
