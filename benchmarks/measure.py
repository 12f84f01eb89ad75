"""Measure a function in a child process of its own: wall time, CPU time, peak memory."""

import json
import multiprocessing
import resource
import time
from collections.abc import Callable
from typing import Any


def _child(function: Callable[[], Any], pipe: Any) -> None:
    start, cpu = time.perf_counter(), time.process_time()
    result = function()
    pipe.send(
        (
            result,
            {
                "wall_s": round(time.perf_counter() - start, 3),
                "cpu_s": round(time.process_time() - cpu, 3),
                "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            },
        )
    )


def measured(function: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """Run ``function`` in a forked child; return its (picklable) result and its figures.

    The child inherits the parent's memory: import and load in the child what should count.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(function, sender))
    process.start()
    sender.close()
    try:
        return receiver.recv()
    finally:
        process.join()


def versus(ours: dict[str, float], yardstick: dict[str, float]) -> dict[str, float]:
    """Return the yardstick's wall time and memory over ours: more is better."""
    return {
        "speedup": round(yardstick["wall_s"] / ours["wall_s"], 2),
        "memory_ratio": round(yardstick["peak_rss_mb"] / ours["peak_rss_mb"], 2),
    }


def report(**figures: Any) -> None:
    """Print the figures as one JSON line, the last line of every benchmark."""
    print(json.dumps(figures))
