"""The screen of one shard's job, from the files that its rule names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from longtail_icd.common.tables import read_table, scan_table
from longtail_icd.generation.prompts.exemplars import note_texts
from longtail_icd.generation.screening.context import NoVerifier, ScreenContext, Verifier
from longtail_icd.generation.screening.facts import load_facts
from longtail_icd.generation.screening.fidelity import Fidelity
from longtail_icd.generation.screening.loose import load_equivalents
from longtail_icd.generation.screening.screen import NoteScreen, make_screen
from longtail_icd.generation.screening.status import load_rules
from longtail_icd.generation.screening.terms import Terms
from longtail_icd.generation.screening.thresholds import read_thresholds


def load_fidelity(files: Mapping[str, str | Path]) -> Fidelity:
    """Return what looks codes up in notes; its terms have learnt nothing yet.

    Args:
        files: tiers, codes, synonyms, triggers and equivalents.
    """
    terms = Terms(
        read_table(files["tiers"], "plan/tiers"),
        read_table(files["codes"], "terminology/codes"),
        read_table(files["synonyms"], "terminology/synonyms"),
    )
    rules, equivalents = load_rules(files["triggers"]), load_equivalents(files["equivalents"])
    return Fidelity(rules, terms, equivalents)


def _load_verifier(folder: str | Path) -> Verifier:
    # The one import against the flow of the stages, and only here is torch needed.
    from longtail_icd.training.verifier import CoderVerifier  # noqa: PLC0415

    return CoderVerifier(folder)


def load_screen(
    settings: dict[str, Any],
    files: Mapping[str, str | Path],
    request_ids: pl.Series,
) -> NoteScreen:
    """Return the screen of a recipe; of the train notes only the shard's examples are read.

    Args:
        settings: the recipe's block ``screening``.
        files: exemplars and notes; for checks beyond the paper's also facts (what the train notes
            teach) and what :func:`load_fidelity` reads; coder, a model folder, if one verifies.
        request_ids: of the shard's requests: whose exemplars are held.
    """
    shown = read_table(files["exemplars"], "plan/exemplars").filter(
        pl.col("request_id").is_in(request_ids.implode())
    )
    notes = scan_table(files["notes"], "corpus/notes")
    wanted = read_thresholds(settings).needs_train_facts
    context = ScreenContext(
        exemplars=note_texts(shown, notes),
        train=load_facts(files["facts"], load_fidelity(files)) if wanted else None,
        verifier=_load_verifier(files["coder"]) if "coder" in files else NoVerifier(),
    )
    return make_screen(settings, context)
