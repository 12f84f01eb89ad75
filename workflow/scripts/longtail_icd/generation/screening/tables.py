"""The screen on a whole shard."""

from collections import defaultdict
from collections.abc import Iterable

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import TABLES
from longtail_icd.generation.requests import Draft, Request, Seen
from longtail_icd.generation.screening.duplicates import AnchorDuplicates
from longtail_icd.generation.screening.screen import NoteScreen, written_part


def duplicates_of(screen: NoteScreen) -> Seen:
    """Return a function that says whether a draft is nearly one it was called with before."""
    duplicates = AnchorDuplicates(screen.thresholds.near_duplicate)
    return lambda request, draft, text: duplicates.seen(written_part(request, draft, text))


def screen_notes(
    requests: Iterable[Request], drafts: Iterable[Draft], screen: NoteScreen
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the tables `generation/notes` and `generation/labels` of one shard.

    Every draft has a note, rejected or not, in the order of the drafts; only good notes have
    labels, so that no later stage can train on the others by mistake. Evidence counts characters
    of the cleaned text.

    Args:
        requests: those of the shard.
        drafts: what was written, in the order in which the requests were taken.
        screen: see ``make_screen``.

    Raises:
        UserError: a draft belongs to no request, or a request other than a reserve has none.
    """
    asked = {request.request_id: request for request in requests}
    seen = defaultdict(lambda: duplicates_of(screen))
    notes, labels = [], []
    for draft in drafts:
        request = asked.get(draft.request_id)
        if request is None:
            raise _other_prompts()
        result = screen.assess(request, draft)
        reasons = result.reasons
        if not reasons and seen[request.anchor](request, draft, result.text):
            reasons = ["near_duplicate"]
        found = {"text": result.text, "reasons": reasons, "anchor": request.anchor}
        notes.append(vars(draft) | found | {"status": "rejected" if reasons else "ok"})
        labels += [] if reasons else result.labels
    tried = {note["request_id"] for note in notes}
    if any(name not in tried for name, request in asked.items() if not request.reserve):
        raise _other_prompts()
    return tuple(
        pl.DataFrame(rows, schema=TABLES[table].columns)
        for rows, table in ((notes, "generation/notes"), (labels, "generation/labels"))
    )


def _other_prompts() -> UserError:
    return UserError("the responses belong to other prompts; run `snakemake -R generate_notes`")


def summary(notes: pl.DataFrame, labels: pl.DataFrame) -> str:
    """Return a few words for the log: notes by status and reason, codes stated."""
    ok = notes.filter(pl.col("status") == "ok").height
    reasons = notes.explode("reasons", empty_as_null=False)["reasons"].drop_nulls().value_counts()
    counts = ", ".join(f"{reason} {count}" for reason, count in reasons.sort("reasons").iter_rows())
    stated = labels.filter(pl.col("verdict") == "stated").height
    return (
        f"{ok} of {notes.height} notes are ok{'; rejected: ' + counts if counts else ''}; "
        f"{stated} of {labels.height} codes are stated word for word"
    )
