"""Which real train notes a request's prompt may show, and which passages of them.

Methods: ``source``, the note whose code set was cloned; ``none``; and ``ranked``, the train notes
that fit the request best, in turns, as excerpts.

``ranked`` never shows a request the note that its code set comes from: a note together with its
complete code set asks the writer to tell one patient's stay again. No note serves more than
``max_uses`` requests, because an example that stays the same is what leaks.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from longtail_icd.common.hashing import hash64
from longtail_icd.common.tables import TABLES
from longtail_icd.plan.candidates import Overlap, Pools, assign, rank, train_notes
from longtail_icd.plan.excerpts import join_neighbours, pick_passages, skeletons
from longtail_icd.plan.retrieval import NoteIndex, TextScores, index_notes, words_of
from longtail_icd.terminology.lookup import describe_unknown

_COLUMNS = TABLES["plan/exemplars"].columns
# The wording of the anchor counts as much as that of this many companions.
_ANCHOR_WEIGHT = 3.0


def select_exemplars(code_sets: pl.DataFrame, method: str) -> pl.DataFrame:
    """Return a table `plan/exemplars`: one row per request, in the order of the code sets.

    Args:
        code_sets: a table `plan/code_sets`.
        method: ``source``: the note whose code set was cloned, and no note where there is none
            (inferred from the author's slides: the retrieved summary is the clinical example);
            ``none``: no note.
    """
    notes = pl.concat_list("source_note_id").list.drop_nulls()
    exemplars = {"source": notes, "none": pl.lit([], dtype=pl.List(pl.String))}
    nothing = {name: pl.lit([], dtype=_COLUMNS[name]) for name in ("excerpts", "skeleton")}
    return code_sets.select("request_id", exemplar_note_ids=exemplars[method], **nothing)


@dataclass(frozen=True)
class Wordings:
    """The sorted words of all titles and synonyms, and per code the numbers of its own words."""

    vocabulary: pl.Series
    of_code: dict[str, np.ndarray]


def wordings_of(known: pl.DataFrame, synonyms: pl.DataFrame) -> Wordings:
    """Return the words of the codes' titles and synonyms.

    Args:
        known: rows of `terminology/codes`, one per code of interest.
        synonyms: a table `terminology/synonyms`.
    """
    key = ["version", "code"]
    both = pl.concat(
        [
            known.select(*key, wording="title"),
            synonyms.join(known, on=key, how="semi").select(*key, wording="synonym"),
        ]
    )
    words = both.select("code", word=words_of(pl.col("wording")))
    words = words.explode("word", empty_as_null=False).unique()
    vocabulary = words["word"].unique().sort()
    number = pl.col("word").cast(pl.Enum(vocabulary)).to_physical().cast(pl.Int32)
    per_code = words.with_columns(number).group_by("code").agg(pl.col("word").sort())
    of_code = {code: np.array(numbers) for code, numbers in per_code.iter_rows()}
    return Wordings(vocabulary, of_code)


def choose_notes(
    code_sets: pl.DataFrame,
    labels: pl.DataFrame,
    known: pl.DataFrame,
    index: NoteIndex,
    wordings: Wordings,
    *,
    count: int,
    max_uses: int,
    text_weight: float,
    seed: int,
) -> dict[str, list[str]]:
    """Return per request the ids of its notes, best first.

    The requests choose one after another, in an order drawn by their names, reserves last: so
    the choice does not depend on the order of rows, and a few requests more or less move few
    others. A note that is used up is left to those before.

    Args:
        code_sets: a table `plan/code_sets`.
        labels: a table `corpus/labels`, train split, inside the label space.
        known: rows of `terminology/codes` for every code of the label space.
        index: of the train notes.
        wordings: of the codes of the label space.
        count: notes of a request.
        max_uses: most requests that one note serves.
        text_weight: share of the text in the fit, 0 to 1; see ``candidates.rank``.
        seed: of the draws and of the order.
    """
    notes = train_notes(labels, known)
    scores = TextScores(index)
    pools = Pools(notes, seed)
    code_sets = code_sets.sort("anchor", "request_id")
    overlap = Overlap(notes, code_sets["codes"])
    rows = pl.Series(notes.note_ids, dtype=pl.String)
    in_index = rows.replace_strict(index.note_ids, np.arange(len(index.note_ids))).to_numpy()
    row_of = {note: row for row, note in enumerate(notes.note_ids)}
    rankings: dict[str, np.ndarray] = {}
    first = 0
    grouped = code_sets.group_by("anchor", maintain_order=True).agg("request_id", "source_note_id")
    for anchor, requests, sources in grouped.iter_rows():
        pool, levels = pools.of(anchor)
        text = scores.of(wordings.of_code[anchor])[in_index[pool]]
        fits = overlap.of(slice(first, first + len(requests)), pool)
        order = rank(fits, text, levels, notes.hashes[pool], text_weight)
        for request, source, best in zip(requests, sources, pool[order], strict=True):
            rankings[request] = best[best != row_of.get(source, -1)]
        first += len(requests)
    turns = sorted(
        code_sets.select("reserve", "request_id").iter_rows(),
        key=lambda turn: (turn[0], hash64(f"{seed}|{turn[1]}")),
    )
    chosen = assign(rankings, [request for _, request in turns], count, max_uses)
    return {request: [notes.note_ids[row] for row in found] for request, found in chosen.items()}


def cut_excerpts(
    code_sets: pl.DataFrame,
    chosen: dict[str, list[str]],
    index: NoteIndex,
    wordings: Wordings,
    excerpt_words: int,
) -> pl.DataFrame:
    """Return the passages to show: columns request_id, note_id, start, end; in order.

    A passage counts by the words of the request's codes in it, the rarer the more, and those
    of the anchor more. A note without any such passage has no row.

    Args:
        code_sets: a table `plan/code_sets`.
        chosen: per request the ids of its notes.
        index: of the train notes.
        wordings: of the codes of the label space.
        excerpt_words: most words of a note that are shown.
    """
    place = {note: number for number, note in enumerate(index.note_ids)}
    idf = index.idf
    weights = np.zeros(len(idf))
    requests, notes, starts, ends = [], [], [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    for request, anchor, codes in code_sets.select("request_id", "anchor", "codes").iter_rows():
        words = np.concatenate([wordings.of_code[code] for code in codes])
        weights[words] = idf[words]
        weights[wordings.of_code[anchor]] *= _ANCHOR_WEIGHT
        for note in chosen[request]:
            spans = _spans(index, place[note], weights, excerpt_words)
            requests += [request] * len(spans[0])
            notes += [note] * len(spans[0])
            starts.append(spans[0])
            ends.append(spans[1])
        weights[words] = 0.0
    flat = {"request_id": requests, "note_id": notes}
    schema = dict.fromkeys(flat, pl.String)
    return pl.DataFrame(flat, schema=schema).with_columns(
        start=pl.Series(np.concatenate(starts), dtype=pl.Int64),
        end=pl.Series(np.concatenate(ends), dtype=pl.Int64),
    )


def _spans(
    index: NoteIndex, note: int, weights: np.ndarray, limit: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return start and end of what to show of one note."""
    first, end = index.first_passage[note : note + 2].tolist()
    words = slice(*index.first_word[note : note + 2].tolist())
    passage, weight = index.passage[words] - first, weights[index.words[words]]
    scores = np.bincount(passage, weight, minlength=end - first)
    passages = pick_passages(scores, index.length[first:end], limit)
    return join_neighbours(passages, index.start[first:end], index.end[first:end])


def rank_exemplars(
    code_sets: pl.DataFrame,
    labels: pl.DataFrame,
    notes: pl.LazyFrame,
    tiers: pl.DataFrame,
    taxonomy: pl.DataFrame,
    synonyms: pl.DataFrame,
    *,
    count: int,
    max_uses: int,
    text_weight: float,
    excerpt_words: int,
    seed: int,
) -> pl.DataFrame:
    """Return a table `plan/exemplars` by method ``ranked``, in the order of the code sets.

    Before: a request for 428.21 and 401.9, cloned from note 7. After: notes 12 and 3, which carry
    428.21 and share rare codes with it; of each the sentences on heart failure and hypertension;
    the section headings of note 12.

    Args:
        code_sets: a table `plan/code_sets`.
        labels: a table `corpus/labels`, train split.
        notes: a table `corpus/notes`, train split.
        tiers: a table `plan/tiers`, the label space.
        taxonomy: a table `terminology/codes`.
        synonyms: a table `terminology/synonyms`.
        count: notes of a request; fewer where none is left, or none says anything of the codes.
        max_uses: most requests that one note serves.
        text_weight: share of the text in how well a note fits, 0 to 1; the codes have the rest.
        excerpt_words: most words that are shown of a note.
        seed: of the draws.
    """
    key = ["version", "code"]
    inside = labels.join(tiers, on=key, how="semi").select("note_id", "version", "code", "kind")
    known = pl.concat([taxonomy, describe_unknown(taxonomy, tiers)])
    known = known.join(tiers, on=key, how="semi")
    wordings = wordings_of(known, synonyms)
    index = index_notes(notes, wordings.vocabulary)
    chosen = choose_notes(
        code_sets,
        inside,
        known,
        index,
        wordings,
        count=count,
        max_uses=max_uses,
        text_weight=text_weight,
        seed=seed,
    )
    spans = cut_excerpts(code_sets, chosen, index, wordings, excerpt_words)
    excerpts = spans.group_by("request_id", maintain_order=True).agg(
        exemplar_note_ids=pl.col("note_id").unique(maintain_order=True),
        excerpts=pl.struct("note_id", "start", "end"),
        note_id=pl.col("note_id").first(),
    )
    with_skeleton = excerpts.join(skeletons(index.headings), on="note_id", how="left")
    return (
        code_sets.select("request_id")
        .join(with_skeleton, on="request_id", how="left", maintain_order="left")
        .select("request_id", *(pl.col(name).fill_null([]) for name in list(_COLUMNS)[1:]))
    )


def summary(exemplars: pl.DataFrame) -> str:
    """Return one line for the log: requests by number of exemplars, and the most used note."""
    shown = exemplars["exemplar_note_ids"]
    sizes = shown.list.len().value_counts().sort("exemplar_note_ids").iter_rows()
    by_size = ", ".join(f"{requests} with {size}" for size, requests in sizes)
    uses = shown.explode(empty_as_null=False).value_counts()["count"]
    return (
        f"exemplars of {len(exemplars)} requests: {by_size or 'none'}; {len(uses)} notes are "
        f"shown, each to {uses.max() or 0} requests at most"
    )
