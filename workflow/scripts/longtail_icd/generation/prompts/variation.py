"""What differs from one note to the next: voice, emphasis, author, service and length."""

import random
from typing import Any

import numpy as np
import polars as pl

from longtail_icd.generation.shards import generator_of, pick, shuffled

VOICES = ["terse, in telegram style", "in full sentences", "as one dictates in a hurry"]
LENGTHS = ["rather short", "of middle length", "rather long"]
EMPHASES = [
    "dwell on the history",
    "dwell on the hospital course",
    "dwell on results and findings",
    "dwell on treatment and plans",
]
AUTHORS = [
    "an intern at the end of a night shift, who abbreviates wherever possible",
    "a resident who keeps a list of problems with a plan for each",
    "an attending who tells the stay in order, in full sentences",
    "a surgeon who writes little and to the point",
    "a hospitalist who starts from an old note and leaves much of it standing",
    "a nurse practitioner who is careful with drugs, doses and follow-up",
    "a consultant who knows one organ well and is brief on the others",
    "a physician who dictates, with the slips that typing leaves in",
]
SERVICES = [
    "general medicine",
    "cardiology",
    "medical intensive care",
    "general surgery",
    "cardiac surgery",
    "orthopaedics",
    "trauma",
    "neurology",
    "neurosurgery",
    "oncology",
    "transplantation",
    "nephrology",
    "gastroenterology",
    "pulmonology",
    "infectious diseases",
    "obstetrics and gynaecology",
    "neonatology",
    "paediatrics",
    "psychiatry",
    "rehabilitation",
]
SERVICE_CHOICES = 4  # so that one of them fits
QUANTILES = np.linspace(0.05, 0.95, 19)  # the ends are left out: stubs, and notes of a long stay


def word_quantiles(notes: pl.LazyFrame) -> list[float]:
    """Return how long notes are: the words at the quantiles 0.05, 0.10, … 0.95.

    Args:
        notes: a table `corpus/notes`, train split, with at least one text; read as a stream.
    """
    words = pl.col("text").str.count_matches(r"\S+").drop_nulls()
    quantiles = [words.quantile(share).alias(f"{share:.2f}") for share in QUANTILES]
    return list(notes.select(quantiles).collect(engine="streaming").row(0))


def draw_words(quantiles: list[float], generator: random.Random) -> int:
    """Return a length in words, to the nearest ten, between the first and the last quantile.

    Before: quantiles 100, 200, 400 and a chance of 0.75. After: 300.
    """
    places = np.linspace(0, 1, len(quantiles))
    return max(10, 10 * round(float(np.interp(generator.random(), places, quantiles)) / 10))


def variation_of(request_id: str, seed: int) -> dict[str, str]:
    """Return what recipe ``paper`` varies."""
    generator = generator_of(request_id, "variation", seed)
    return {
        "voice": pick(VOICES, generator),
        "length": pick(LENGTHS, generator),
        "emphasis": pick(EMPHASES, generator),
    }


def persona_of(request_id: str, quantiles: list[float] | None, seed: int) -> dict[str, Any]:
    """Return author, services to choose from and words of a note; words: null without quantiles."""
    generator = generator_of(request_id, "persona", seed)
    return {
        "author": pick(AUTHORS, generator),
        "services": shuffled(SERVICES, generator)[:SERVICE_CHOICES],
        "words": draw_words(quantiles, generator) if quantiles else None,
    }
