"""Corpus: raw hospital tables → one canonical corpus, split by patient."""
