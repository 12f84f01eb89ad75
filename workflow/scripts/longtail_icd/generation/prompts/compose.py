"""From code sets to prompts: Knowledge-Injection Prompting, and what we make of it.

Per code the hierarchy path, the official title and synonyms; the anchor marked; a real note, or
excerpts of some, as an example. Structure: the author's slides; wording and the rest of the
contents: ours (docs/paper.md, docs/prompts.md). What differs from request to request comes last
in a prompt, so that a server can reuse what it knows of the beginning.
"""

import json
import random
from typing import Any

import polars as pl

from longtail_icd.common.tables import TABLES
from longtail_icd.generation.data_class import highest
from longtail_icd.generation.knowledge import CodeFacts
from longtail_icd.generation.prompts.code_values import code_values, knowledge_of
from longtail_icd.generation.prompts.exemplars import shorten
from longtail_icd.generation.prompts.graft import (
    CONTEXT_AFTER,
    CONTEXT_BEFORE,
    around,
    place_of,
)
from longtail_icd.generation.prompts.material import Material
from longtail_icd.generation.prompts.rephrase import chunks_of
from longtail_icd.generation.prompts.templates import Template
from longtail_icd.generation.prompts.variation import persona_of, variation_of
from longtail_icd.generation.shards import generator_of, shard_of

# Seeds are sent to servers, and some take 32 bits only.
SEED_RANGE = 2**31
# Whose fact a code set is; one that was taken over from a note is that note's.
_CLASS_OF_STRATEGY = {"anchor": "public", "alone": "public", "sample": "aggregate"}


def select_shard(code_sets: pl.DataFrame, shard: int, shards: int) -> pl.DataFrame:
    """Return the code sets whose anchor belongs to the shard: those of one anchor together."""
    anchors = [
        anchor
        for anchor in code_sets["anchor"].unique(maintain_order=True)
        if shard_of(anchor, shards) == shard
    ]
    order = pl.DataFrame({"anchor": anchors}, schema={"anchor": pl.String})
    return order.join(code_sets, on="anchor", maintain_order="left_right").select(code_sets.columns)


def _written(
    template: Template,
    values: dict[str, Any],
    note: str | None,
    prompt: dict[str, Any],
    places: random.Random,
) -> dict[str, Any]:
    """Return chats, follow_up, before and after of one request.

    Args:
        template: its name says how a request is made.
        values: what the template may show.
        note: the real note that is rewritten or written into, if any.
        prompt: the recipe's block ``prompt``.
        places: draws where a graft goes.
    """
    before = after = ""
    if template.name == "rephrase":
        chunks = chunks_of(note, prompt["chunk_words"])
        chats = [template.messages(values | {"chunk": chunk.strip()}) for chunk in chunks]
    elif template.name == "graft":
        before, after = around(note, place_of(note, values["codes"][0]["kind"], places))
        context = {"before": before[-CONTEXT_BEFORE:], "after": after[:CONTEXT_AFTER]}
        chats = [template.messages(values | context)]
    else:
        chats = [template.messages(values)]
    return {
        "chats": json.dumps(chats, ensure_ascii=False),
        "follow_up": template.follow_up(values),
        "before": before,
        "after": after,
    }


def _data_class(
    strategy: str, exemplar: str | None, skeleton: list[str], licensed: bool, material: Material
) -> str:
    """Return the class of a prompt: the highest of its parts.

    Titles are public, unless they are licensed. A drawn set is an aggregate, and so are lengths of
    the corpus; a set of a note is a record, and so is a skeleton, the order in which one note has
    its sections. Real text is text, excerpts too.
    """
    parts = [_CLASS_OF_STRATEGY.get(strategy, "record")]
    parts += ["aggregate"] * (licensed or material.measured)
    parts += ["record"] * bool(skeleton)
    parts += ["text"] * bool(exemplar or material.notes)
    return highest(parts)


def _row(
    planned: dict[str, Any],
    facts: dict[str, CodeFacts],
    template: Template,
    prompt: dict[str, Any],
    material: Material,
) -> dict[str, Any]:
    request_id, anchor, codes = (planned[key] for key in ("request_id", "anchor", "codes"))
    ordered = [anchor, *(code for code in codes if code != anchor)]
    values = code_values(request_id, ordered, facts, template.name, prompt)
    exemplar = shorten(material.exemplars.get(request_id))
    skeleton = material.skeletons.get(request_id, [])
    shown = {
        "codes": values,
        "exemplar": exemplar,
        "excerpts": request_id in material.excerpts,
        "skeleton": skeleton,
        "variation": variation_of(request_id, prompt["seed"]),
        "persona": persona_of(request_id, material.quantiles, prompt["seed"]),
    }
    places = generator_of(request_id, "place", prompt["seed"])
    seed = int(generator_of(request_id, "seed", prompt["seed"]).random() * SEED_RANGE)
    licensed = any(facts[code].licensed for code in codes)
    return {
        "request_id": request_id,
        "anchor": anchor,
        "codes": codes,
        **_written(template, shown, material.notes.get(request_id), prompt, places),
        "knowledge": json.dumps(knowledge_of(values), ensure_ascii=False),
        "seed": seed,
        "data_class": _data_class(planned["strategy"], exemplar, skeleton, licensed, material),
        "reserve": planned["reserve"],
    }


def compose_prompts(
    code_sets: pl.DataFrame,
    facts: dict[str, CodeFacts],
    template: Template,
    prompt: dict[str, Any],
    material: Material | None = None,
) -> pl.DataFrame:
    """Return a table `generation/prompts`: one row per code set, in their order.

    Args:
        code_sets: a table `plan/code_sets`.
        facts: per code what the terminology says; see ``facts_of``.
        template: its name says how a request is made: ``description`` names title and all
            synonyms, ``rephrase`` has a chat per chunk of the note, ``graft`` real text around
            what is written, any other one chat.
        prompt: the recipe's block ``prompt``: seed, and by template wording, words, chunk_words.
        material: what of the train notes may be shown; none: nothing.
    """
    material = material or Material()
    rows = [
        _row(planned, facts, template, prompt, material)
        for planned in code_sets.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, schema=TABLES["generation/prompts"].columns)
