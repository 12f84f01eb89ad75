"""Evaluation: coders and test split → scores with intervals, comparisons."""
