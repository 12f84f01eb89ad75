"""Drafts on disk while a job writes them: put in as they come, taken out in the plan's order."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from longtail_icd.generation.requests import Draft


class Spool:
    """An unnamed temporary file: nothing of it is left, even if the process is killed.

    Args:
        folder: on whose disk it is; made if it is not there.
    """

    def __init__(self, folder: str | Path):
        Path(folder).mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self._places: dict[int, tuple[int, int]] = {}

    def put(self, number: int, drafts: list[Draft]) -> None:
        """Keep the drafts of the anchor with this number."""
        data = json.dumps([vars(draft) for draft in drafts]).encode()
        self._places[number] = (self._file.seek(0, os.SEEK_END), len(data))
        self._file.write(data)

    def drafts(self) -> Iterator[Draft]:
        """Yield all drafts by the numbers of their anchors."""
        self._file.flush()
        for number in sorted(self._places):
            start, size = self._places[number]
            for draft in json.loads(os.pread(self._file.fileno(), size, start)):
                yield Draft(**draft)

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()
