"""What of the train notes the prompts of a shard may show."""

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from longtail_icd.generation.prompts.exemplars import exemplar_texts, texts_of
from longtail_icd.generation.prompts.variation import word_quantiles


@dataclass(frozen=True)
class Material:
    """What prompts may show beside the terminology; all but quantiles by request_id.

    Attributes:
        exemplars: the example shown, a whole note or excerpts of some.
        excerpts: requests whose example is excerpts.
        skeletons: the section headings of a real note.
        notes: the real note that is rewritten, or written into.
        quantiles: of the notes' lengths in words; none: no length is asked for.
        measured: whether the quantiles are those of the corpus.
    """

    exemplars: dict[str, str | None] = field(default_factory=dict)
    excerpts: frozenset[str] = frozenset()
    skeletons: dict[str, list[str]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    quantiles: list[float] | None = None
    measured: bool = False


def gather(
    code_sets: pl.DataFrame, exemplars: pl.DataFrame, notes: pl.LazyFrame, prompt: dict[str, Any]
) -> Material:
    """Return the material of the requests.

    Args:
        code_sets: a table `plan/code_sets`; with a column note_id where real notes are worked on.
        exemplars: a table `plan/exemplars`, the same requests only.
        notes: a table `corpus/notes`, train split.
        prompt: the recipe's block ``prompt``.
    """
    worked_on = {}
    if "note_id" in code_sets.columns:
        texts = dict(texts_of(code_sets["note_id"], notes).iter_rows())
        wanted = code_sets.select("request_id", "note_id").iter_rows()
        worked_on = {request_id: texts[note] or "" for request_id, note in wanted}
    measured = "words" in prompt and prompt["words"] is None
    return Material(
        exemplars=exemplar_texts(exemplars, notes),
        excerpts=frozenset(exemplars.filter(pl.col("excerpts").list.len() > 0)["request_id"]),
        skeletons=dict(exemplars.select("request_id", "skeleton").iter_rows()),
        notes=worked_on,
        quantiles=word_quantiles(notes) if measured else prompt.get("words"),
        measured=measured,
    )
