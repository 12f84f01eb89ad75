"""What the synthetic notes of a recipe are like beside real ones: train notes, no others."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import ks_2samp

from longtail_icd.common.tables import TABLES
from longtail_icd.common.tiers import TIERS
from longtail_icd.generation.quality.estimates import Estimate, mean, median, ratio
from longtail_icd.generation.quality.likeness import (
    copied,
    copied_from_exemplars,
    mean_cosine,
    nearest_distance,
    vectors,
)
from longtail_icd.generation.quality.samples import NoteSample, Samples
from longtail_icd.generation.quality.variety import (
    BLEU_NOTES,
    TOKENS,
    distinct,
    entropy,
    self_bleu,
)
from longtail_icd.generation.screening.duplicates import near_duplicates
from longtail_icd.generation.screening.ngrams import SeenNgrams
from longtail_icd.generation.screening.style import FEATURES, measure
from longtail_icd.generation.screening.verdicts import SUPPORTED
from longtail_icd.generation.screening.words import phrase_of, spaced
from longtail_icd.plan.excerpts import HEADING_NOTES, HEADING_SHARE, headings_of

ALL = "all"
SECTIONS = 12  # headings that are told apart, the most frequent of the reference
NEAR_COPY = 0.8  # Jaccard similarity of word triples
Row = dict[str, Any]


def _row(name: str, who: str, found: Estimate, part: str | None = None, tier: str = ALL) -> Row:
    return {"measure": name, "part": part, "tier": tier, "who": who, **vars(found)}


def _style(samples: Samples) -> Iterator[Row]:
    """Length, abbreviations and numerals per 100 words, distinct words of 100."""
    reference = _lengths(samples.reference)
    for who, sample in samples.sides.items():
        lengths = _lengths(sample)
        yield _row("words", who, median(lengths))
        distance = float(ks_2samp(lengths, reference).statistic)
        yield _row("words_distance", who, Estimate(distance, len(lengths)))
        features = np.stack([measure(text) for text in sample.texts])
        for column, name in enumerate(FEATURES):
            if name != "length":
                yield _row(name, who, mean(features[:, column]))


def _lengths(sample: NoteSample) -> list[int]:
    return [len(text.split()) for text in sample.texts]


def _headings(sample: NoteSample) -> list[list[str]]:
    return pl.DataFrame({"text": sample.texts}).select(headings_of(pl.col("text"))).to_series()


def frequent_headings(headings: list[list[str]]) -> list[str]:
    """Return the headings that so many notes have that they tell of no one, most frequent first."""
    counts = Counter(heading for one in headings for heading in one)
    least = max(HEADING_NOTES, HEADING_SHARE * len(headings))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [heading for heading, notes in ordered if notes >= least][:SECTIONS]


def _sections(samples: Samples) -> Iterator[Row]:
    """Which frequent headings the notes have, and in how many orders they stand."""
    frequent = frequent_headings(_headings(samples.reference))
    for who, sample in samples.sides.items():
        orders = [
            tuple(heading for heading in one if heading in frequent) for one in _headings(sample)
        ]
        for heading in frequent:
            yield _row("section", who, mean([heading in one for one in orders]), part=heading)
        yield _row("section_orders", who, Estimate(entropy(orders), len(orders)))


def _unseen(words: list[str], known: set[str]) -> float:
    spelled = [word for word in words if word.isalpha()]
    return sum(word not in known for word in spelled) / max(len(spelled), 1)


def _vocabulary(samples: Samples) -> Iterator[Row]:
    """How many different words there are, and how many of them the reference never uses."""
    known = {word for words in samples.reference.words for word in words}
    tokens = min(TOKENS, *(sum(map(len, one.words)) for one in samples.sides.values()))
    for who, sample in samples.sides.items():
        yield _row("words_unseen", who, mean([_unseen(words, known) for words in sample.words]))
        for length in (1, 2):
            yield _row(f"distinct_{length}", who, Estimate(*distinct(sample.words, length, tokens)))


def _repetition(samples: Samples) -> Iterator[Row]:
    """How much the notes of a side repeat each other."""
    for who, sample in samples.sides.items():
        scores = self_bleu(sample.words[:BLEU_NOTES]) if len(sample.words) > 1 else []
        yield _row("self_bleu", who, mean(scores))
        yield _row("near_copies", who, mean(near_duplicates(sample.texts, NEAR_COPY)))


def _nearness(samples: Samples) -> Iterator[Row]:
    """How close the notes of a side are to each other and to the reference."""
    rows = vectors(samples)
    seen = SeenNgrams.of(samples.reference.words)
    for who, sample in samples.sides.items():
        yield _row("cosine", who, Estimate(mean_cosine(rows[who]), len(sample.ids)))
        distances = nearest_distance(rows[who], rows["reference"])
        yield _row("nearest", who, median(distances))
        closest = float(np.quantile(distances, 0.05))
        yield _row("nearest_p05", who, Estimate(closest, len(distances)))
        yield _row("copied", who, mean(copied(sample, seen)))
    yield _row("copied_exemplars", "synthetic", mean(copied_from_exemplars(samples, seen)))


def _worded(sample: NoteSample, phrases: Mapping[str, list[str]]) -> list[tuple[int, str, bool]]:
    """Return note, code and whether the note has one of the code's wordings."""
    found = []
    for note, (words, codes) in enumerate(zip(sample.words, sample.codes, strict=True)):
        joined = spaced(words)
        for code in codes:
            said = any(phrase in joined for phrase in phrases.get(code, []))
            found.append((note, code, said))
    return found


def _by_tier(name: str, who: str, found: pl.DataFrame, part: str | None = None) -> Iterator[Row]:
    """Yield the share of codes that are found, of all tiers and of each one.

    Args:
        name: of the measure.
        who: whose codes.
        found: columns note, tier, hit; one row per code of a note.
        part: the codes' role.
    """
    for tier in (ALL, *TIERS):
        chosen = found if tier == ALL else found.filter(tier=tier)
        notes = chosen.group_by("note").agg(pl.col("hit").sum(), count=pl.len()).sort("note")
        if notes.height:
            share = ratio(notes["hit"].to_numpy(), notes["count"].to_numpy())
            yield _row(name, who, share, part, tier)


def phrases_by_code(
    tiers: pl.DataFrame, taxonomy: pl.DataFrame, synonyms: pl.DataFrame
) -> dict[str, list[str]]:
    """Return title and synonyms of each code of the label space, as between normalised words."""
    known = [
        wordings.join(tiers, on=["version", "code"], how="semi").select("code", wording=column)
        for wordings, column in ((taxonomy, "title"), (synonyms, "synonym"))
    ]
    grouped = pl.concat(known).drop_nulls().unique().group_by("code").agg("wording")
    return {
        code: [phrase for phrase in map(phrase_of, said) if phrase]
        for code, said in grouped.iter_rows()
    }


def _evidence(
    samples: Samples, labels: pl.DataFrame, tiers: pl.DataFrame, phrases: Mapping[str, list[str]]
) -> Iterator[Row]:
    """How many codes the notes say by name, and how many screening found support for."""
    tier = tiers.select("code", "tier")
    schema = {"note": pl.Int64, "code": pl.String, "hit": pl.Boolean}
    for who, sample in samples.sides.items():
        worded = pl.DataFrame(_worded(sample, phrases), schema=schema, orient="row")
        yield from _by_tier("codes_worded", who, worded.join(tier, on="code"))
    asked = labels.select(
        "code", "role", note="request_id", hit=pl.col("verdict").is_in(SUPPORTED)
    ).join(tier, on="code")
    for role in ("anchor", "companion"):
        yield from _by_tier("codes_supported", "synthetic", asked.filter(role=role), role)


def assess_notes(
    samples: Samples,
    labels: pl.DataFrame,
    tiers: pl.DataFrame,
    taxonomy: pl.DataFrame,
    synonyms: pl.DataFrame,
) -> pl.DataFrame:
    """Return the table `generation/quality` of a recipe; docs/quality.md defines the measures.

    Args:
        samples: the notes that are compared.
        labels: a table `generation/labels`, the synthetic sample's rows.
        tiers: a table `plan/tiers`.
        taxonomy: a table `terminology/codes`.
        synonyms: a table `terminology/synonyms`.
    """
    phrases = phrases_by_code(tiers, taxonomy, synonyms)
    parts: list[Callable[[Samples], Iterator[Row]]] = [
        _style,
        _sections,
        _vocabulary,
        _repetition,
        _nearness,
        partial(_evidence, labels=labels, tiers=tiers, phrases=phrases),
    ]
    rows = [row for part in parts for row in part(samples)]
    return pl.DataFrame(rows, schema=TABLES["generation/quality"].columns)


def summary(quality: pl.DataFrame) -> str:
    """Return the figures of whole samples in lines, synthetic beside real."""
    whole = quality.filter(pl.col("part").is_null(), tier=ALL)
    lines = []
    for (name,), rows in whole.group_by("measure", maintain_order=True):
        values = [
            f"{who} {'-' if value is None else f'{value:.3f}'}"
            for who, value in rows.select("who", "value").iter_rows()
        ]
        lines.append(f"{name}: {', '.join(values)}")
    return "\n".join(lines)
