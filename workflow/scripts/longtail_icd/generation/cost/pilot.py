"""The pilot: some requests of a recipe whose answers show how long its answers are."""

import time
from typing import Any

import polars as pl

from longtail_icd.generation.journal import request_key
from longtail_icd.generation.openai_writer import OpenAIWriter
from longtail_icd.generation.writer import Request

PILOT_SIZE = 50  # requests that are looked for in the journal where none are to be asked


def pilot_ids(requests: pl.DataFrame, size: int) -> list[str]:
    """Return the first planned requests of each tier in turn.

    Before: a plan that starts with 900 requests for tail codes. After: as many of each tier.

    Args:
        requests: see :func:`estimate.request_table`.
        size: how many.
    """
    turn = pl.int_range(pl.len()).over("tier")
    planned = requests.filter(~pl.col("reserve")).with_columns(turn=turn)
    return planned.sort("turn", maintain_order=True).head(size)["request_id"].to_list()


def ask_pilot(writer: OpenAIWriter, requests: list[Request]) -> float | None:
    """Ask what the journal does not know yet, so that nothing is paid for twice.

    Returns:
        tokens answered per second, all together; None if some answers were there already, of
        which nobody knows how long they took.
    """
    fresh = not known_answers(writer, requests)
    start = time.monotonic()
    tokens = sum(response.completion_tokens for response in writer.write(requests))
    return tokens / (time.monotonic() - start) if fresh and tokens else None


def known_answers(writer: OpenAIWriter, requests: list[Request]) -> dict[str, dict[str, Any]]:
    """Return what the journal knows of the requests, by request_id."""
    keys = {one.request_id: request_key(writer.sampling.body(one)) for one in requests}
    found = writer.journal.find(set(keys.values()))
    return {request_id: found[key] for request_id, key in keys.items() if key in found}
