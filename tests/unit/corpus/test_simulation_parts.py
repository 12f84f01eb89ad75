"""The simulated hospital's laws: frequencies, pool, placement, wordings."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from demo_terminology import synonyms as demo_synonyms
from hypothesis import given
from hypothesis import strategies as st
from longtail_icd.common.errors import UserError
from longtail_icd.common.wordings import icd9_wordings
from longtail_icd.corpus.simulator.code_pool import assign_ranks, chapter_shares, draw_pool, quotas
from longtail_icd.corpus.simulator.frequencies import draw_counts, expected_counts, mean_labels
from longtail_icd.corpus.simulator.phenotypes import (
    draw_notes,
    draw_patients,
    fill_empty,
    place_codes,
)
from longtail_icd.corpus.simulator.pseudo_words import pseudo_word
from longtail_icd.corpus.simulator.wording import (
    abbreviation,
    draw_wordings,
    vocabulary,
)

RANGES = Path(__file__).parents[3] / "resources" / "icd9_ranges.csv"


def rng(seed=1):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def pool():
    return draw_pool(rng(), 560, RANGES)


def test_the_law_at_full_scale_gives_the_long_tail_of_mimic3():
    """The facts' three seeds: 5,138-5,266 codes with 1-9 notes, 8,971-9,088 codes in all."""
    expected = expected_counts(52_722, 18_449, 14)
    counts = draw_counts(rng(), expected, 52_722)
    assert 8_800 < (counts > 0).sum() < 9_300
    assert 5_000 < ((counts > 0) & (counts < 10)).sum() < 5_400
    assert 1_850 < (counts == 1).sum() < 2_150
    assert 900 < ((counts >= 100) & (counts < 1000)).sum() < 980
    assert counts.max() == round(0.38 * 52_722)


@given(st.integers(20, 3000), st.integers(2, 400), st.floats(1, 14))
def test_expected_counts_fall_and_add_up(documents, codes, labels):
    expected = expected_counts(documents, codes, labels)
    assert (np.diff(expected) <= 1e-9).all()
    assert expected[0] <= 0.38 * documents + 1e-9
    total = documents * mean_labels(labels)
    limit = documents * (0.38 + 0.245 * (codes - 1))
    # Where the pool is too short for so many labels, all codes stand at their limit.
    assert np.isclose(expected.sum(), min(total, limit), rtol=1e-6)


@given(
    st.lists(st.tuples(st.floats(0.01, 1), st.integers(0, 40)), min_size=1, max_size=20),
    st.integers(0, 300),
)
def test_quotas_are_exact_and_within_what_is_there(chapters, codes):
    shares = np.array([share for share, _ in chapters])
    available = np.array([count for _, count in chapters])
    codes = min(codes, int(available.sum()))
    quota = quotas(shares, available, codes)
    assert quota.sum() == codes
    assert (quota <= available).all()
    assert (quota >= 0).all()


def test_the_pool_is_real_codes_in_groups_of_siblings(pool):
    assert pool.height == 560
    assert pool.select(pl.struct("kind", "code").is_unique().all()).item()
    siblings = pool.select((pl.len().over("kind", "cluster") > 1).mean()).item()
    assert siblings > 0.9
    share = pool.select((pl.col("kind") == "procedure").mean()).item()
    assert abs(share - 0.2609) < 0.02


def test_more_codes_than_exist_is_one_clear_error():
    with pytest.raises(UserError, match=r"corpus\.simulation\.codes: 20000.*18449"):
        draw_pool(rng(), 20_000, RANGES)


def test_chapters_get_their_share_of_the_instances(pool):
    expected = expected_counts(1400, 560, 6)
    counts = assign_ranks(rng(), pool, expected)
    assert np.allclose(np.sort(counts), np.sort(expected))
    got = pool.with_columns(n=pl.Series(counts)).group_by("kind", "chapter").agg(pl.sum("n"))
    shares = chapter_shares(got.select("kind", "chapter").rows())
    assert np.abs(got["n"].to_numpy() / expected.sum() - shares).max() < 0.03


def test_patients_follow_the_law_of_mimic3():
    patients = draw_patients(rng(), 50_000)
    admissions = np.bincount(patients)
    assert (np.diff(patients) >= 0).all()
    assert abs((admissions == 1).mean() - 0.838) < 0.01
    assert abs(admissions[admissions > 1].mean() - 2.65) < 0.05


@given(st.integers(0, 1000))
def test_codes_are_placed_exactly_and_never_twice_in_a_note(seed):
    notes = draw_notes(rng(seed), 40, 3, 4.0)
    counts = rng(seed).integers(0, 41, size=9)
    note, code = place_codes(rng(seed + 1), notes, counts, np.arange(9) % 3, np.arange(9) % 2 == 0)
    assert (np.bincount(code, minlength=9) == counts).all()
    assert len(set(zip(note, code, strict=True))) == len(note)
    filled = fill_empty(note, code, 40)
    assert len(set(zip(filled, code, strict=True))) == len(note)
    if len(note) >= 40:
        assert np.bincount(filled, minlength=40).min() >= 1


def test_readmissions_keep_chronic_codes():
    notes = draw_notes(rng(), 3000, 4, 4.0)
    counts = np.full(2, 300)
    note, code = place_codes(rng(2), notes, counts, np.zeros(2, int), np.array([True, False]))
    again = np.flatnonzero(np.diff(notes.patient) == 0)

    def kept(one):
        has = np.isin(np.arange(3000), note[code == one])
        return has[again + 1][has[again]].mean()

    assert kept(0) > 0.6
    assert kept(1) < 0.4


def test_pseudo_words_depend_on_their_key_alone_and_differ():
    words = [pseudo_word(f"diagnosis/{number}/drug", set()) for number in range(2000)]
    assert words[:3] == [pseudo_word(f"diagnosis/{number}/drug", set()) for number in range(3)]
    assert len(set(words)) > 1990
    first = words[0]
    assert pseudo_word("diagnosis/0/drug", {first}) != first


def test_abbreviations_by_hand():
    assert abbreviation("Acute kidney failure, unspecified") == "AKF"
    assert abbreviation("Septicemia due to other organisms") is None


@pytest.fixture(scope="module")
def said(pool):
    public = icd9_wordings()
    return {
        overlap: draw_wordings(rng(), pool, overlap, public, set(vocabulary(public)))
        for overlap in (0.0, 0.6, 1.0)
    }


def _mass(wordings, wanted):
    return np.mean([sum(share for one, share in code if wanted(one)) for code in wordings])


def test_overlap_is_the_share_of_shared_mentions(said):
    for overlap, wordings in said.items():
        assert all(abs(sum(share for _, share in code) - 1) < 1e-9 for code in wordings)
        assert abs(_mass(wordings, lambda one: one.shared) - overlap) < 0.04


def test_disjoint_wordings_share_no_word_with_any_title_or_synonym(said):
    """Protects the negative control: with overlap 0 knowledge of synonyms must not help."""
    known = vocabulary(icd9_wordings())
    synonyms = demo_synonyms("icd9cm")["synonym"]
    known |= set(synonyms.str.extract_all(r"[a-z0-9]+").explode())
    private = {one for code in said[0.0] for one, _ in code}
    assert {one.sort for one in private} <= {"drug", "finding", "device", "technique"}
    assert not {one.text for one in private} & known
    assert sum(len(code) for code in said[0.0]) == len(private)  # no two codes share a word


def test_shared_wordings_are_those_that_the_terminology_offers(said, pool):
    offered = {}
    for code, synonym in demo_synonyms("icd9cm").select("code", "synonym").iter_rows():
        offered.setdefault(code, set()).add(synonym)
    for code, title, wordings in zip(pool["code"], pool["title"], said[1.0], strict=True):
        texts = {one.text for one, _ in wordings}
        assert texts <= offered.get(code, set()) | {title.lower()}


def test_the_official_title_is_rare_among_shared_wordings(said, pool):
    titles = {title.lower() for title in pool["title"]}
    several = [code for code in said[1.0] if len(code) > 1]
    assert _mass(several, lambda one: one.text in titles) < 0.2
