"""Prose without a language model."""
