"""What the train notes teach the screen: learnt once, kept in a folder, mapped by every shard.

==================  ==============================================================================
known.npy           uint64, sorted: hashes of 13-grams, see :class:`SeenNgrams`
boilerplate.npy     the same of those in many notes
notes.npy           int32 [wordings]: train notes by whose words the patient has it
right.npy           int32 [wordings]: those of them with a code of the wording's category
quartiles.npy       float64 [2, features]: lower and upper, see :class:`Style`
facts.json          sampling rate of the hashes; is ___ a mask; which wordings were counted
==================  ==============================================================================
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_folder, read_json, write_json
from longtail_icd.generation.screening.fidelity import Fidelity
from longtail_icd.generation.screening.ngrams import SeenNgrams
from longtail_icd.generation.screening.style import Style, measure

BATCH = 256  # notes that are read at once
MASKED = 0.05  # share of train notes with ___ from which on that is how a corpus masks


@dataclass(frozen=True)
class TrainFacts:
    """What the train notes and the terminology say; see :func:`learn_facts`."""

    fidelity: Fidelity
    ngrams: SeenNgrams
    style: Style
    blanks_are_masks: bool


def train_notes(notes: pl.LazyFrame, labels: pl.LazyFrame) -> Iterator[tuple[str, list[str]]]:
    """Yield text and codes of each train note; no more than a batch of texts is held.

    Args:
        notes: a table `corpus/notes`, train split.
        labels: a table `corpus/labels`, train split.
    """
    codes = dict(labels.group_by("note_id").agg("code").collect().iter_rows())
    columns = notes.select("note_id", "text")
    for batch in columns.collect_batches(chunk_size=BATCH, maintain_order=True):
        for note_id, text in batch.iter_rows():
            yield text, codes.get(note_id, [])


def learn_facts(train: Iterable[tuple[str, list[str]]], fidelity: Fidelity) -> TrainFacts:
    """Read the train notes once and keep hashes, counts and distributions, no text.

    Args:
        train: text and codes of each train note.
        fidelity: reads the notes; its terms learn which of them can be relied on.
    """
    terms = fidelity.terms
    measured: list[np.ndarray] = []
    masked = 0

    def words_of_each() -> Iterator[list[str]]:
        nonlocal masked
        for text, codes in train:
            reading = fidelity.read(text)
            terms.learn(
                [number for number, _ in fidelity.asserted(reading)],
                {terms.category[code] for code in codes if code in terms.category},
            )
            measured.append(measure(text))
            masked += "___" in text
            yield reading.words.words

    ngrams = SeenNgrams.of(words_of_each())
    masks = masked > MASKED * len(measured)
    return TrainFacts(fidelity, ngrams, Style.of(measured), masks)


def save_facts(facts: TrainFacts, folder: str | Path) -> None:
    """Write what was learnt to ``folder``, whole or not at all; the same facts, the same bytes."""
    terms = facts.fidelity.terms
    arrays = {
        "known": facts.ngrams.known,
        "boilerplate": facts.ngrams.boilerplate,
        "notes": np.array(terms.notes, dtype=np.int32),
        "right": np.array(terms.right, dtype=np.int32),
        "quartiles": np.stack([facts.style.low, facts.style.high]),
    }
    settings = {
        "rate": facts.ngrams.rate,
        "blanks_are_masks": facts.blanks_are_masks,
        "wordings": terms.digest,
    }
    with atomic_folder(folder) as temporary:
        for name, array in arrays.items():
            np.save(temporary / f"{name}.npy", array)
        write_json(settings, temporary / "facts.json")


def _map(path: Path) -> np.ndarray:
    """Map an array: jobs on one machine share its pages, and none reads more than it looks at."""
    try:
        return np.asarray(np.load(path, mmap_mode="r"))
    except (OSError, ValueError, EOFError):
        raise UserError(f"{path}: cannot be read; run `snakemake -R learn_train_facts`") from None


def load_facts(folder: str | Path, fidelity: Fidelity) -> TrainFacts:
    """Return what :func:`save_facts` wrote.

    Args:
        folder: where it is.
        fidelity: of the same wordings as those of the facts; its terms take over what was learnt.

    Raises:
        UserError: a file is missing or broken, or the facts are of other wordings.
    """
    folder = Path(folder)
    settings = read_json(folder / "facts.json")
    if settings["wordings"] != fidelity.terms.digest:
        raise UserError(
            f"{folder}: learnt for other codes or synonyms; run `snakemake -R learn_train_facts`"
        )
    arrays = {
        name: _map(folder / f"{name}.npy")
        for name in ("known", "boilerplate", "notes", "right", "quartiles")
    }
    fidelity.terms.recall(arrays["notes"].tolist(), arrays["right"].tolist())
    return TrainFacts(
        fidelity,
        SeenNgrams(arrays["known"], arrays["boilerplate"], settings["rate"]),
        Style(*arrays["quartiles"]),
        settings["blanks_are_masks"],
    )
