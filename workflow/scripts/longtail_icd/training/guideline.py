"""The guideline of a note: its codes' knowledge, which GKI-ICD reads beside it in training."""

import random

import polars as pl

KEY = ["version", "code"]


def titles_of(labels: pl.DataFrame, taxonomy: pl.DataFrame) -> list[str]:
    """Return each label's title; a code that the taxonomy does not know stands for itself.

    Args:
        labels: version and code, in label order. The version matters: B20 is a disease in ICD-10-CM
            and a table of ICD-10-PCS.
        taxonomy: the table terminology/codes.
    """
    known = dict(zip(taxonomy.select(KEY).iter_rows(), taxonomy["title"], strict=True))
    keys = list(labels.select(KEY).iter_rows())
    unknown = sum(key not in known for key in keys)
    if unknown:
        print(f"warning: {unknown} codes are unknown to the taxonomy; the code serves as the title")
    return [known.get(key, key[1]) for key in keys]


def _hierarchies(labels: pl.DataFrame, taxonomy: pl.DataFrame) -> list[str]:
    """Return, for each label, the names of its chapter, block and category, without its own."""
    titles = dict(zip(taxonomy.select(KEY).iter_rows(), taxonomy["title"], strict=True))
    places = labels.select(KEY).join(taxonomy, on=KEY, how="left", maintain_order="left")
    hierarchies = []
    for version, code, *nodes in places.select(*KEY, "chapter", "block", "category").iter_rows():
        names = [titles.get((version, node), node) for node in nodes if node not in (None, code)]
        hierarchies.append(", ".join(dict.fromkeys(names)))
    return hierarchies


class Guidelines:
    """Draws a guideline text for a set of labels: hierarchy names and one wording per code.

    ``chapter, block, category, synonym. chapter, …``, codes in random order; a code without
    synonyms gives its title, and a code that is its own category is not named twice
    (arXiv 2505.18708).
    """

    def __init__(
        self,
        labels: pl.DataFrame,
        titles: list[str],
        taxonomy: pl.DataFrame,
        synonyms: pl.DataFrame,
    ):
        """Collect the knowledge of ``labels`` (version, code) with their ``titles``, in order."""
        # A wording from two sources is still one wording.
        distinct = synonyms.select(*KEY, "synonym").unique().sort(pl.all())
        wordings = distinct.group_by(KEY, maintain_order=True).agg("synonym")
        found = labels.select(KEY).join(wordings, on=KEY, how="left", maintain_order="left")
        self.wordings = [
            words.to_list() if words is not None else [title]
            for words, title in zip(found["synonym"], titles, strict=True)
        ]
        self.hierarchies = _hierarchies(labels, taxonomy)

    def text(self, label_ids: list[int], generator: random.Random) -> str:
        """Return one draw for a note's labels."""
        parts = [
            ", ".join(
                filter(None, [self.hierarchies[label], generator.choice(self.wordings[label])])
            )
            for label in label_ids
        ]
        generator.shuffle(parts)
        return ". ".join(parts)
