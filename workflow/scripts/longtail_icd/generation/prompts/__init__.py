"""Prompts: from a code set to what a writer is asked."""
