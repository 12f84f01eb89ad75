"""The card of a dataset of synthetic notes."""

from typing import Any

from huggingface_hub import DatasetCardData

from longtail_icd.generation.endpoints.card import (
    CARDS,
    TAGS,
    derived_name,
    licence_fields,
    render_card,
)
from longtail_icd.generation.endpoints.licences import SIMULATED, corpus_licence

TABLES = ("notes", "labels")
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))


def dataset_card(config: dict[str, Any], recipe: str, manifest: dict[str, Any]) -> str:
    """Return the card as Markdown: licence, what the notes were made from, where prompts went.

    Args:
        config: the configuration that the notes were made with.
        recipe: whose notes these are.
        manifest: the recipe's, from ``collect_notes``.
    """
    corpus, licence = config["corpus"], corpus_licence(config["corpus"])
    name, total = derived_name(corpus, licence, recipe), sum(manifest["notes"].values())
    data = DatasetCardData(
        pretty_name=name,
        language=[corpus["language"]],
        **licence_fields(licence),
        annotations_creators=["machine-generated"],
        language_creators=["machine-generated"],
        task_categories=["text-classification"],
        tags=["synthetic", *TAGS],
        size_categories=[next((size for limit, size in _SIZES if total < limit), "100K<n<1M")],
        configs=[{"config_name": table, "data_files": f"{table}.parquet"} for table in TABLES],
    )
    return render_card(
        CARDS / "dataset.md.j2",
        data,
        name=name,
        corpus=corpus["name"],
        recipe=recipe,
        licence=licence,
        simulated=licence is SIMULATED,
        umls=config["terminology"]["umls"] is not None,
        manifest=manifest,
        total=total,
    )
