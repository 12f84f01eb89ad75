"""Lengths as those of the real notes; everything else drawn by the request's name alone."""

import random

import polars as pl
from generation_stage import notes
from longtail_icd.common.tables import TABLES
from longtail_icd.generation.prompts.variation import draw_words, persona_of, word_quantiles


def with_texts(texts):
    columns = TABLES["corpus/notes"].columns.items()
    empty = [pl.lit(None, dtype).alias(name) for name, dtype in columns if name != "text"]
    return pl.DataFrame({"text": texts}).with_columns(empty)


def test_quantiles_count_words_and_leave_out_the_ends():
    texts = ["word " * number for number in range(101)] + [None]
    assert word_quantiles(with_texts(texts).lazy()) == [5.0 * step for step in range(1, 20)]


def test_drawn_lengths_have_the_distribution_of_the_notes():
    drawn = sorted(draw_words([100, 200, 400], random.Random(seed)) for seed in range(4000))
    assert drawn[0] >= 100 and drawn[-1] <= 400 and all(words % 10 == 0 for words in drawn)
    assert abs(drawn[2000] - 200) <= 10 and abs(drawn[3000] - 300) <= 15


def test_a_corpus_of_one_note_gives_its_length():
    assert draw_words(word_quantiles(notes().head(1).lazy()), random.Random(1)) == 10


def test_personas_are_stable_and_differ():
    personas = [persona_of(f"r{number}", [100, 900], 1) for number in range(60)]
    assert personas == [persona_of(f"r{number}", [100, 900], 1) for number in range(60)]
    assert len({persona["author"] for persona in personas}) == 8
    assert all(len(set(persona["services"])) == 4 for persona in personas)
    assert persona_of("r1", None, 1)["words"] is None
