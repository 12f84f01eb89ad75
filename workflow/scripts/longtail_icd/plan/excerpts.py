"""Excerpts of real notes: the passages that carry the wording of codes, and section headings.

Excerpts are character spans and never text, so that no note text lies in the plan.
"""

import numpy as np
import polars as pl

# What begins a new passage: the end of a sentence, an empty line, an item of a list, a label.
# Each rule replaces one character of white space by one that no note holds.
_BREAK = "\x00"
_SENTENCE_END = r"([\p{L}\p{Pe}][.!?])\s"
_NEW_BLOCK = r"\n(\s*\n|\s*(?:\d+[.)]|[-*•])\s|\p{Lu}[^\n:]{1,60}:)"

# A section heading stands alone on its line and ends with a colon: "Brief Hospital Course:".
_HEADING = r"(?m)^\p{Lu}[\p{L}/&' -]{2,50}:[ \t]*$"
# A heading that fewer notes have, or a smaller share of them, could tell of one patient.
HEADING_NOTES = 5
HEADING_SHARE = 0.01


def passages_of(texts: pl.Series) -> pl.DataFrame:
    """Cut texts into passages: sentences, list items, labelled lines.

    Before: ``He had chf. It got worse``. After: spans (0, 11) and (12, 24).

    Returns:
        Columns row (of the text), passage, start, end (characters of the text); in order.
    """
    broken = texts.str.replace_all(_SENTENCE_END, "${1}" + _BREAK).str.replace_all(
        _NEW_BLOCK, _BREAK + "${1}"
    )
    passages = pl.DataFrame({"passage": broken.str.split(_BREAK)}).with_row_index("row")
    end = pl.col("length").cum_sum().over("row") - 1
    return (
        passages.explode("passage")
        .with_columns(length=(pl.col("passage").str.len_chars() + 1).cast(pl.Int32))
        .with_columns(end=end, start=end + 1 - pl.col("length"))
        .select("row", "passage", "start", "end")
    )


def headings_of(text: pl.Expr) -> pl.Expr:
    r"""Return the section headings of a text in order, each once, without colon.

    Before: ``Chief Complaint:\nchest pain\nSex: F``. After: ``[Chief Complaint]``.
    """
    heading = pl.element().str.strip_chars(": \t")
    return text.str.extract_all(_HEADING).list.eval(heading).list.unique(maintain_order=True)


def skeletons(headings: pl.DataFrame) -> pl.DataFrame:
    """Keep of every note the headings that many notes have; columns note_id, skeleton.

    Args:
        headings: columns note_id, headings; one row per note.
    """
    least = max(HEADING_NOTES, HEADING_SHARE * headings.height)
    single = headings.explode("headings", empty_as_null=False)
    common = single.group_by("headings").len().filter(pl.col("len") >= least)["headings"]
    kept = pl.element().filter(pl.element().is_in(common.implode()))
    return headings.select("note_id", skeleton=pl.col("headings").list.eval(kept))


def pick_passages(scores: np.ndarray, lengths: np.ndarray, limit: int) -> np.ndarray:
    """Return which passages to show, in order: the best-scored, as long as ``limit`` allows.

    Passages that score 0 carry no wording and are never shown; of equals the earlier comes first.

    Args:
        scores: one per passage, at least 0.
        lengths: number of words per passage.
        limit: most words of all shown passages together.
    """
    carrying = np.flatnonzero(scores)
    carrying = carrying[lengths[carrying] <= limit]
    best = carrying[np.argsort(-scores[carrying], kind="stable")]
    return np.sort(best[np.cumsum(lengths[best]) <= limit])


def join_neighbours(
    passages: np.ndarray, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return start and end of the passages, those that follow each other as one span.

    Before: passages 3, 4, 9. After: two spans, from the start of 3 to the end of 4, and 9.
    """
    if not len(passages):
        return start[:0], end[:0]
    gap = passages[1:] > passages[:-1] + 1
    first, last = np.concatenate([[True], gap]), np.concatenate([gap, [True]])
    return start[passages[first]], end[passages[last]]
