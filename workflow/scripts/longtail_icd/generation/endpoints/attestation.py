"""What a user attests of an endpoint that is not this machine.

The three promises are what PhysioNet asks of a service before credentialed data, or what derives
from it, may be sent there (docs/privacy.md).
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from longtail_icd.common.errors import UserError

PROMISES = ("zero_retention", "no_training", "no_human_review")
_WORDS = ("agreement_ref", "by")
_DATES = ("date", "expires")


@dataclass(frozen=True)
class Attestation:
    """A complete attestation; every promise in it is true.

    Args:
        agreement_ref: where the agreement with the provider is filed.
        by: who attests it.
        date: first day it holds.
        expires: last day it holds.
        batch: the promises also hold for uploaded batch files and their results.
    """

    zero_retention: bool
    no_training: bool
    no_human_review: bool
    agreement_ref: str
    by: str
    date: date
    expires: date
    batch: bool = False


def read_attestation(block: dict[str, Any] | None) -> Attestation | None:
    """Return the attestation of a writer's block ``attestation:``; None if there is none.

    Raises:
        UserError: names the part that is missing, not promised, or no date.
    """
    if block is None:
        return None
    for promise in PROMISES:
        if block.get(promise) is not True:
            raise UserError(
                f"attestation.{promise}: must be true, or nothing but public prompts may go there; "
                "leave the attestation out and set max_class: public"
            )
    for key in _WORDS:
        if not isinstance(block.get(key), str) or not block[key].strip():
            raise UserError(f"attestation.{key}: is missing or empty")
    days = {}
    for key in _DATES:
        try:
            # YAML makes a date of an unquoted one.
            days[key] = date.fromisoformat(str(block.get(key)))
        except ValueError:
            raise UserError(f"attestation.{key}: is no date of the form 2026-01-31") from None
    words = {key: block[key].strip() for key in _WORDS}
    batch = block.get("batch", False) is True
    return Attestation(**dict.fromkeys(PROMISES, True), **words, **days, batch=batch)


def check_current(attestation: Attestation, today: date) -> None:
    """Let an attestation pass on the days it holds.

    Raises:
        UserError: it does not hold yet, or no longer.
    """
    if today < attestation.date:
        raise UserError(f"attestation.date: {attestation.date} lies ahead")
    if today > attestation.expires:
        raise UserError(
            f"attestation.expires: expired on {attestation.expires}; check the promises again and "
            "renew it, or set max_class: public"
        )
