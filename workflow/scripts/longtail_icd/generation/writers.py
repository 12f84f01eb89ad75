"""The writer that a configuration asks for."""

from pathlib import Path
from typing import Any

from longtail_icd.generation.endpoint import Endpoint
from longtail_icd.generation.journal import Journal
from longtail_icd.generation.offline.prose import load_prose
from longtail_icd.generation.offline_writer import OfflineWriter
from longtail_icd.generation.openai_writer import OpenAIWriter, Sampling
from longtail_icd.generation.writer import Writer

# Settings that say how an answer is fetched; all others determine the answer itself.
FETCHING = ("base_url", "concurrency", "timeout_s", "api_key_env")


def make_writer(settings: dict[str, Any], prose: str | Path | None, journal: str | Path) -> Writer:
    """Return the writer for one block of ``writers:``.

    Args:
        settings: the block.
        prose: file with the offline writer's sentences; the other writer needs none.
        journal: folder of the journal; the offline writer is cheaper to run again than to store.
    """
    if settings["backend"] == "offline":
        return OfflineWriter(load_prose(prose))
    fetching = {key: settings[key] for key in FETCHING}
    sampling = {key: value for key, value in settings.items() if key not in (*FETCHING, "backend")}
    return OpenAIWriter(Sampling(**sampling), Endpoint(**fetching), Journal(journal))
