"""An endpoint as a writer's block declares it."""

import os
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from longtail_icd.common.errors import UserError
from longtail_icd.generation.data_class import DATA_CLASSES
from longtail_icd.generation.endpoints.attestation import Attestation, read_attestation

# Settings of a writer that say how an answer is fetched; all others determine the answer itself.
FETCHING = (
    "base_url",
    "base_urls",
    "concurrency",
    "timeout_s",
    "api_key_env",
    "budget",
    "max_class",
    "attestation",
    "mode",
    "max_lines",
    "max_mb",
    "poll_s",
    "batch_tokens",
    "replicas",
    "gpus_per_replica",
    "start_s",
    "stop_s",
)


@dataclass(frozen=True)
class Endpoint:
    """Servers that give the same answers; nothing here changes what they answer.

    Args:
        base_urls: their addresses, each up to and with ``/v1``.
        concurrency: most requests under way at the same time, over all of them.
        timeout_s: longest wait for an answer, in seconds.
        api_key_env: the environment variable with the key; None: the servers need none.
        max_class: highest data class that may be sent.
        attestation: what a user attests of servers that are not this machine.
    """

    base_urls: tuple[str, ...]
    concurrency: int
    timeout_s: float
    api_key_env: str | None
    max_class: str = DATA_CLASSES[-1]
    attestation: Attestation | None = None


def read_endpoint(settings: dict[str, Any]) -> Endpoint:
    """Return the endpoint of one block of ``writers:``.

    Without ``max_class`` an endpoint is to receive whatever prompts hold, and so has to be fit
    for all of it.

    Raises:
        UserError: the attestation is incomplete.
    """
    return Endpoint(
        base_urls=tuple(settings.get("base_urls") or [settings["base_url"]]),
        concurrency=settings["concurrency"],
        timeout_s=settings["timeout_s"],
        api_key_env=settings["api_key_env"],
        max_class=settings.get("max_class", DATA_CLASSES[-1]),
        attestation=read_attestation(settings.get("attestation")),
    )


def attestation_record(attestation: Attestation | None) -> dict[str, Any] | None:
    """Return an attestation for a manifest, its dates as ISO strings; None if there is none."""
    if attestation is None:
        return None
    fields = asdict(attestation)
    return {key: str(value) if isinstance(value, date) else value for key, value in fields.items()}


def read_key(api_key_env: str | None) -> str:
    """Return the key from the environment; servers that need none get a placeholder.

    Raises:
        UserError: the variable is not set where the job runs.
    """
    if api_key_env is None:
        return "none"
    key = os.environ.get(api_key_env)
    if not key:
        raise UserError(
            f"environment variable {api_key_env} (api_key_env) is not set where the job runs; "
            f"export it before starting Snakemake"
        )
    return key
