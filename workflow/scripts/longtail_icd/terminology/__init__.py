"""Terminology: code systems → taxonomy, titles, synonyms."""
