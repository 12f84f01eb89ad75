"""New notes from their source to their codes, some at a time."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from longtail_icd.common.files import write_text
from longtail_icd.prediction.coder import CodedNote, NoteCoder
from longtail_icd.prediction.notes import Note
from longtail_icd.prediction.output import check_output, write_coded
from longtail_icd.prediction.page import note_page
from longtail_icd.prediction.status import watched

BATCH = 16  # notes that the model reads together, and that are held at a time


def coded_notes(
    notes: Iterable[Note], coder: NoteCoder, pages: Mapping[str, Path]
) -> Iterator[CodedNote]:
    """Yield what the model says of each note, in their order, and write pages as they come.

    Args:
        notes: of any number; no more than a batch is held.
        coder: the model.
        pages: files of the notes to show, by note id.
    """
    waiting, left = iter(notes), dict(pages)
    while batch := list(islice(waiting, BATCH)):
        for note, coded in zip(batch, coder.code(batch), strict=True):
            if note.note_id in left:
                write_text(note_page(note, coded, coder), left.pop(note.note_id))
            yield coded
    for note_id in left:
        print(f"warning: no note has the id {note_id}; it has no page", file=sys.stderr)


def code_notes(
    notes: Iterable[Note], coder: NoteCoder, output: str, pages: Mapping[str, Path]
) -> None:
    """Code notes and write what the model says; see write_coded and coded_notes.

    Raises:
        UserError: the output's name says no format, or the source of the notes is broken.
    """
    check_output(output)
    if not coder.calibrated:
        print(
            "warning: the model was trained before probabilities were calibrated and titles kept: "
            "its probabilities are those of the plain logits, its codes have no titles",
            file=sys.stderr,
        )
    write_coded(watched(coded_notes(notes, coder, pages), coder.max_length), output)
