"""A page that shows one note with its codes and what each looked at."""

from pathlib import Path

from longtail_icd.generation.quality.pages import render
from longtail_icd.generation.quality.spans import pieces
from longtail_icd.prediction.coder import CodedNote, NoteCoder
from longtail_icd.prediction.notes import Note

TEMPLATE = Path(__file__).parents[4] / "resources" / "prediction" / "note.html.j2"


def note_page(note: Note, coded: CodedNote, coder: NoteCoder) -> str:
    """Return the page: one HTML file that loads nothing from anywhere.

    Args:
        note: as written.
        coded: what the model says of it.
        coder: the model.

    Raises:
        UserError: the template is broken.
    """
    evidence = [[(one.start, one.end) for one in code.passages] for code in coded.codes]
    return render(
        TEMPLATE,
        note_id=note.note_id,
        coded=coded,
        pieces=pieces(note.text, evidence) if note.text else [],
        model=coder.name,
        max_length=coder.max_length,
        calibrated=coder.calibrated,
    )
