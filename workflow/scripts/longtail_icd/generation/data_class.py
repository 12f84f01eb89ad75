"""How sensitive a prompt is: the highest class of its parts.

public     classification, titles, synonyms: nobody's data
aggregate  statistics over a credentialed corpus; words of a licensed terminology, which say
           nothing of a patient but are not everybody's either
record     derived from one admission of it, such as a cloned code set
text       words of one of its notes

Source: PhysioNet's notes on responsible use and on derived data (docs/recipes.md).
"""

from collections.abc import Iterable

DATA_CLASSES = ("public", "aggregate", "record", "text")


def highest(classes: Iterable[str]) -> str:
    """Return the most sensitive of the classes; ``public`` for none. Before: public, text."""
    return max(classes, key=DATA_CLASSES.index, default="public")
