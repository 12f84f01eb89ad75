"""The journal: every answer of a language model, kept under the hash of its request."""

from longtail_icd.generation.journal.journal import Journal, request_key

__all__ = ["Journal", "request_key"]
