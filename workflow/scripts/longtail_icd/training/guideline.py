"""The guideline of a note: its codes' knowledge, which GKI-ICD reads beside it in training."""

import random

import polars as pl


class Guidelines:
    """Draws a guideline text for a set of labels: hierarchy names and one synonym per code.

    The codes come in random order, joined with ". "; a code without synonyms gives its title
    (arXiv 2505.18708; facts of the hierarchy prefix: chapter, block, then the category's title if
    the code is not itself the category).
    """

    def __init__(self, codes: list[str], taxonomy: pl.DataFrame, synonyms: pl.DataFrame):
        """Collect the knowledge of ``codes`` (label order) from the two terminology tables."""
        titles = dict(taxonomy.select("code", "title").iter_rows())
        places = {
            row["code"]: row
            for row in taxonomy.filter(pl.col("code").is_in(codes)).iter_rows(named=True)
        }
        wordings = dict(
            synonyms.filter(pl.col("code").is_in(codes))
            .group_by("code")
            .agg(pl.col("synonym").sort())
            .iter_rows()
        )
        self.titles = [titles.get(code, code) for code in codes]
        self.wordings = [
            wordings.get(code) or [title] for code, title in zip(codes, self.titles, strict=True)
        ]
        self.hierarchies = [self._hierarchy(code, places.get(code), titles) for code in codes]

    @staticmethod
    def _hierarchy(code: str, place: dict | None, titles: dict[str, str]) -> str:
        if place is None:
            return ""
        nodes = [place["chapter"], place["block"], place["category"]]
        names = [titles.get(node, node) for node in nodes if node is not None and node != code]
        return ", ".join(dict.fromkeys(names))

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
