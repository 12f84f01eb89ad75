"""Invented words: names of drugs, findings and devices that exist in no terminology.

They stand for indirect evidence of a code: what a coder at this hospital has learned to read as
the code, and what no title or synonym says. A tokenizer sees parts of words, so the words are
clearly foreign: consonant pairs that English and medical Latin do not have.
"""

import hashlib
from collections.abc import Container

ONSETS = ("zv", "kz", "vr", "zl", "kj", "vx", "zr", "tz", "jr", "xh", "qv", "kv", "zj", "vl", "xr")
VOWELS = "aeiouy"
CODAS = ("x", "q", "k", "z", "v", "j", "zz", "xt")
SYLLABLES = 2  # before the last one


def pseudo_word(key: str, taken: Container[str]) -> str:
    """Return a pronounceable word that depends on ``key`` alone and is not ``taken``.

    Before: ``"diagnosis/038.9/drug"``. After: for example ``"kzovrexaq"``.
    """
    attempt = 0
    while True:
        digest = hashlib.sha256(f"{key}/{attempt}".encode()).digest()
        parts = []
        for syllable in range(SYLLABLES + 1):
            onset, vowel = digest[2 * syllable], digest[2 * syllable + 1]
            parts.append(ONSETS[onset % len(ONSETS)] + VOWELS[vowel % len(VOWELS)])
        word = "".join(parts) + CODAS[digest[-1] % len(CODAS)]
        if word not in taken:
            return word
        attempt += 1
