"""What the study on CodiEsp trains on, background texts included, holds no dev or test document."""

import os
import re
from pathlib import Path

import pytest
from longtail_icd.corpus.raw_files import CODIESP_TEXTS

DATA = os.environ.get("LONGTAIL_ICD_TEST_DATA")
WORDS = 13


def _texts(split):
    folder = Path(DATA) / "codiesp" / split / CODIESP_TEXTS["en"]
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))}


def _runs(text):
    """Return the hashes of all runs of 13 words."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return {hash(tuple(words[i : i + WORDS])) for i in range(len(words) - WORDS + 1)}


@pytest.mark.skipif(DATA is None, reason="LONGTAIL_ICD_TEST_DATA is not set")
def test_no_document_of_dev_or_test_is_half_in_what_is_trained_on():
    """The largest share of a document's runs is 0.23: another case of the same article."""
    learnt = _texts("train") | _texts("background")
    runs = set().union(*map(_runs, learnt.values()))
    for split in ("dev", "test"):
        held_out = _texts(split)
        assert not learnt.keys() & held_out.keys()
        for text in held_out.values():
            own = _runs(text)
            assert len(own & runs) <= 0.5 * len(own)
