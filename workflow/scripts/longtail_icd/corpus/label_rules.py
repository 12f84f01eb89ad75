"""Which codes and documents of a corpus are kept, each set of rules named for its source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.corpus.code_rows import numbered

MOST_FREQUENT = 50


@dataclass(frozen=True)
class LabelRules:
    """What of the labels is kept.

    Attributes:
        min_documents: a code stays if so many documents have it; counted over the documents of
            all splits, before any is dropped.
        listed_only: only the codes of a list stay.
        without_codes: whether a document that has no code (left) stays.
    """

    min_documents: int = 1
    listed_only: bool = False
    without_codes: bool = False


RULES = {
    # MIMIC-III full: every code and every document; 4 of the 52,726 have no code.
    "mullenbach": LabelRules(without_codes=True),
    # MIMIC-III 50: the codes of the published list.
    "mullenbach_50": LabelRules(listed_only=True),
    # MIMIC-III clean and MIMIC-IV of Edin et al. (2023).
    "edin": LabelRules(min_documents=10),
    # MIMIC-IV-ICD of Nguyen et al. (2023): every code, documents with a code.
    "nguyen": LabelRules(),
}
DEFAULT = {"rules": "mullenbach", "min_documents": None, "recount": False}


def rules_of(settings: Mapping[str, Any]) -> LabelRules:
    """Return the rules that `corpus.labels` names, with its own minimum count if it gives one."""
    rules = RULES[settings["rules"]]
    if settings["min_documents"] is None:
        return rules
    return LabelRules(settings["min_documents"], rules.listed_only, rules.without_codes)


def read_code_list(path: str | Path) -> list[str]:
    """Return the dotted codes of a file, one a line; what follows a comma is not read.

    Raises:
        UserError: the file is not text or names no code.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a text in UTF-8; give a code a line") from None
    codes = [line.split(",")[0].strip().strip('"').upper() for line in lines]
    kept = [code for code in codes if code]
    if not kept:
        raise UserError(f"{path}: names no code; corpus.code_list wants one dotted code a line")
    return kept


def most_frequent(labels: pl.DataFrame, number: int) -> list[str]:
    """Return the codes that the most documents have; of equally frequent ones the first by name."""
    counted = labels.group_by("code").len().sort(["len", "code"], descending=[True, False])
    return counted["code"].head(number).to_list()


def _listed(labels: pl.DataFrame, code_list: str | Path | None) -> list[str]:
    if code_list is None:
        print(
            f"warning: corpus.labels.recount: the {MOST_FREQUENT} most frequent codes were counted "
            "again; they are not the published list, and results cannot be compared with it"
        )
        return most_frequent(labels, MOST_FREQUENT)
    listed = read_code_list(code_list)
    unused = sorted(set(listed) - set(labels["code"]))
    if len(unused) == len(set(listed)):
        raise UserError(
            f"{code_list}: no document has one of its codes; write them with their dots (401.9)"
        )
    print(f"codes of the list that no document has: {', '.join(unused) or 'none'}")
    return listed


def _drop(
    labels: pl.DataFrame, keep: pl.Expr, kinds: Sequence[str], reason: str
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Keep some labels; count by kind how many went for ``reason``."""
    kept = labels.filter(keep)
    lost = labels.height - kept.height
    gone = labels.filter(~keep) if lost else labels.clear()
    return kept, {f"{kind}_{reason}": gone.filter(kind=kind).height for kind in kinds}


def apply_rules(
    labels: pl.DataFrame,
    documents: pl.DataFrame,
    kinds: Sequence[str],
    rules: LabelRules,
    code_list: str | Path | None,
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, int]]:
    """Return the labels and documents that the rules keep, and what they dropped.

    Before, `edin`: 38.93 in 9 documents, 401.9 in 10; a document with 38.93 alone. After: 401.9
    is left, the document is gone.

    Args:
        labels: corpus/labels, of ``documents`` only.
        documents: with note_id.
        kinds: of codes in this corpus.
        rules: as :func:`rules_of` returns them.
        code_list: file with the codes to keep, for rules that keep listed codes only; without it
            the most frequent ones are taken.

    Raises:
        UserError: the list is unusable.
    """
    counts: dict[str, int] = {}
    before = labels.height
    if rules.listed_only:
        listed = pl.col("code").is_in(_listed(labels, code_list))
        labels, counts = _drop(labels, listed, kinds, "not_listed")
    if rules.min_documents > 1:
        frequent = pl.len().over("version", "code") >= rules.min_documents
        labels = labels.with_columns(frequent=frequent)
        labels, rare = _drop(labels, pl.col("frequent"), kinds, "rare")
        labels, counts = labels.drop("frequent"), counts | rare
    if labels.height < before:
        labels = numbered(labels)
    without = documents.join(labels, on="note_id", how="anti").height
    if rules.without_codes:
        return labels, documents, {**counts, "documents_without_codes": without}
    kept = documents.join(labels, on="note_id", how="semi", maintain_order="left")
    dropped = {"documents_without_codes": 0, "documents_without_codes_dropped": without}
    return labels, kept, counts | dropped
