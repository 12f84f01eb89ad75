"""From a code set to a prompt: Knowledge-Injection Prompting.

Per code the hierarchy path, the official title and one synonym drawn for this note; the anchor
marked; a real note, or excerpts of some, as an example. Structure: the author's slides; wording
and the rest of the contents: ours (docs/paper.md). The same choices go, as ``knowledge``, to the
offline writer.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import TABLES
from longtail_icd.generation.data_class import highest
from longtail_icd.generation.knowledge import CodeFacts
from longtail_icd.generation.shards import generator_of, pick, shard_of, shuffled

# An example is cut here: it shows style and structure, and a long one costs throughput.
EXEMPLAR_CHARACTERS = 8000
OMISSION = "\n[...]\n"  # between two excerpts
# Seeds are sent to servers, and some take 32 bits only.
SEED_RANGE = 2**31
# The last line of a prompt, so that a server can reuse everything before it.
VOICES = ["terse, in telegram style", "in full sentences", "as one dictates in a hurry"]
LENGTHS = ["rather short", "of middle length", "rather long"]
EMPHASES = [
    "dwell on the history",
    "dwell on the hospital course",
    "dwell on results and findings",
    "dwell on treatment and plans",
]


@dataclass(frozen=True)
class Template:
    """A prompt template: its name and its Jinja blocks ``system`` (may be missing) and ``user``."""

    name: str
    jinja: jinja2.Template

    def messages(self, values: dict[str, Any]) -> list[dict[str, str]]:
        """Return the chat messages for one request."""
        return [
            {
                "role": role,
                "content": "".join(self.jinja.blocks[role](self.jinja.new_context(values))).strip(),
            }
            for role in ("system", "user")
            if role in self.jinja.blocks
        ]


def load_template(path: str | Path) -> Template:
    """Read a template; its name is the file's.

    Raises:
        UserError: the file is missing, is no valid template, or has no block ``user``.
    """
    path = Path(path)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    try:
        template = environment.from_string(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such prompt template") from None
    except jinja2.TemplateSyntaxError as error:
        raise UserError(f"{path}: line {error.lineno}: {error.message}") from None
    if "user" not in template.blocks:
        raise UserError(f"{path}: a prompt template needs a block named user")
    return Template(path.stem, template)


def select_shard(code_sets: pl.DataFrame, shard: int, shards: int) -> pl.DataFrame:
    """Return the code sets whose anchor belongs to the shard, in their order."""
    anchors = [
        anchor for anchor in code_sets["anchor"].unique() if shard_of(anchor, shards) == shard
    ]
    return code_sets.filter(pl.col("anchor").is_in(anchors))


def shorten(text: str | None, characters: int = EXEMPLAR_CHARACTERS) -> str | None:
    """Return the note, cut at a word's end if it is longer; None for no text."""
    if text is None or not text.strip():
        return None
    if len(text) <= characters:
        return text.strip()
    return text[:characters].rsplit(maxsplit=1)[0].strip()


def _code_values(request_id: str, facts: CodeFacts, role: str, seed: int) -> dict[str, Any]:
    """Return what a template may say about a code; the draw depends on request and code alone."""
    generator = generator_of(request_id, facts.code, seed)
    synonyms = shuffled(facts.synonyms, generator)
    return {
        "role": role,
        "kind": facts.kind,
        "title": facts.title,
        "path": facts.path,
        "synonym": synonyms[0] if synonyms else None,
        "synonyms": synonyms,
    }


def _knowledge(code: str, values: dict[str, Any], all_synonyms: bool) -> dict[str, Any]:
    """Return what the offline writer and the screening may know of a code."""
    known = {
        "code": code,
        "role": values["role"],
        "kind": values["kind"],
        "title": values["title"],
        "wording": values["synonym"] or values["title"],
    }
    return known | {"synonyms": values["synonyms"]} if all_synonyms else known


def _variation(request_id: str, seed: int) -> dict[str, str]:
    generator = generator_of(request_id, "variation", seed)
    return {
        "voice": pick(VOICES, generator),
        "length": pick(LENGTHS, generator),
        "emphasis": pick(EMPHASES, generator),
    }


def _data_class(
    codes: list[str], source_note_id: str | None, exemplar: str | None, skeleton: list[str]
) -> str:
    """Return the class of a prompt: the highest of its parts.

    Titles are public. A set drawn from a note is a record; so is a skeleton, the order in which
    one admission's note has its sections. An exemplar, excerpts too, is text.
    """
    record = source_note_id is not None or len(codes) > 1 or bool(skeleton)
    return highest(["public", *(["record"] if record else []), *(["text"] if exemplar else [])])


def compose_prompts(
    code_sets: pl.DataFrame,
    exemplars: dict[str, str | None],
    skeletons: dict[str, list[str]],
    facts: dict[str, CodeFacts],
    template: Template,
    seed: int,
) -> pl.DataFrame:
    """Return a table `generation/prompts`: one row per code set, in their order.

    Args:
        code_sets: a table `plan/code_sets`.
        exemplars: per request_id the text of its example, or nothing.
        skeletons: per request_id the section headings of a real note, for templates that show
            them as ``skeleton``; requests without any may be missing.
        facts: per code what the terminology says; see ``facts_of``.
        template: ``description`` hands all synonyms to the offline writer, any other one wording.
        seed: of the recipe's draws.
    """
    rows = []
    for request_id, anchor, codes, source in code_sets.select(
        "request_id", "anchor", "codes", "source_note_id"
    ).iter_rows():
        ordered = [anchor, *(code for code in codes if code != anchor)]
        values = {
            code: _code_values(
                request_id, facts[code], "anchor" if code == anchor else "companion", seed
            )
            for code in ordered
        }
        exemplar = shorten(exemplars.get(request_id))
        skeleton = skeletons.get(request_id, [])
        messages = template.messages(
            {
                "codes": list(values.values()),
                "exemplar": exemplar,
                "skeleton": skeleton,
                "variation": _variation(request_id, seed),
            }
        )
        whole = template.name == "description"
        knowledge = [_knowledge(code, value, whole) for code, value in values.items()]
        rows.append(
            {
                "request_id": request_id,
                "anchor": anchor,
                "codes": codes,
                "messages": json.dumps(messages, ensure_ascii=False),
                "knowledge": json.dumps(knowledge, ensure_ascii=False),
                "data_class": _data_class(codes, source, exemplar, skeleton),
                "seed": int(generator_of(request_id, "seed", seed).random() * SEED_RANGE),
            }
        )
    return pl.DataFrame(rows, schema=TABLES["generation/prompts"].columns)


def _texts(wanted: pl.Series, notes: pl.LazyFrame) -> pl.DataFrame:
    """Return note_id and text of the wanted notes; only those are read."""
    ids = wanted.drop_nulls().unique()
    found = notes.filter(pl.col("note_id").is_in(ids.implode()))
    return found.select("note_id", "text").collect()


def note_texts(exemplars: pl.DataFrame, notes: pl.LazyFrame) -> dict[str, str | None]:
    """Return per request the whole text of its example notes; requests without one are missing.

    Args:
        exemplars: a table `plan/exemplars`, the requests of interest only.
        notes: a table `corpus/notes`, train split; only the notes asked for are read.
    """
    wanted = exemplars.select("request_id", note_id="exemplar_note_ids").explode(
        "note_id", empty_as_null=False
    )
    found = wanted.join(
        _texts(wanted["note_id"], notes), on="note_id", maintain_order="left"
    ).group_by("request_id", maintain_order=True)
    return dict(found.agg(pl.col("text").str.join("\n")).iter_rows())


def exemplar_texts(exemplars: pl.DataFrame, notes: pl.LazyFrame) -> dict[str, str | None]:
    """Return per request what its prompt shows of real notes; requests without are missing.

    The excerpts, those of one note after another, or the best note as a whole where the table has
    none.

    Args:
        exemplars: a table `plan/exemplars`, the requests of interest only.
        notes: a table `corpus/notes`, train split; only the notes asked for are read.
    """
    whole = exemplars.filter(pl.col("excerpts").list.len() == 0).with_columns(
        pl.col("exemplar_note_ids").list.head(1)
    )
    spans = (
        exemplars.select("request_id", "excerpts")
        .explode("excerpts", empty_as_null=False)
        .unnest("excerpts")
    )
    passage = pl.col("text").str.slice(pl.col("start"), pl.col("end") - pl.col("start"))
    shown = (
        spans.join(_texts(spans["note_id"], notes), on="note_id", maintain_order="left")
        .group_by("request_id", maintain_order=True)
        .agg(passage.str.strip_chars().str.join(OMISSION))
    )
    return note_texts(whole, notes) | dict(shown.iter_rows())
