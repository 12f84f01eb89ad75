"""One shard's notes: many anchors at once, and a stop that loses nothing."""

import asyncio
from collections.abc import Callable, Iterator

from longtail_icd.generation.anchors import NoteWriter, by_anchor, write_anchor
from longtail_icd.generation.requests import Request, Seen
from longtail_icd.generation.runner.run_state import RunEnded
from longtail_icd.generation.spool import Spool


class ShardJob:
    """Writes the notes of a shard.

    Args:
        writer: of single notes.
        seen: makes a function that knows the near-duplicates among one anchor's notes.
        at_once: requests in work; as many as keep the writer busy, and no more in memory. An
            anchor with more of them is worked at alone.
        finished: told how many allocated notes of an anchor are through.
    """

    def __init__(
        self,
        writer: NoteWriter,
        seen: Callable[[], Seen],
        at_once: int,
        finished: Callable[[int], None],
    ):
        self._writer = writer
        self._seen = seen
        self._at_once = at_once
        self._finished = finished
        self._in_work = 0
        self._ended = False
        self._changed = asyncio.Event()

    async def run(self, requests: Iterator[Request], spool: Spool) -> None:
        """Write all anchors' notes into the spool.

        When a run ends early (:class:`RunEnded`) no anchor is started any more; the state of the
        run says why.
        """
        async with asyncio.TaskGroup() as tasks:
            for number, group in enumerate(by_anchor(requests)):
                while self._in_work and self._in_work + len(group) > self._at_once:
                    self._changed.clear()
                    await self._changed.wait()
                if self._ended:
                    return
                self._in_work += len(group)
                tasks.create_task(self._write(number, group, spool))

    async def _write(self, number: int, group: list[Request], spool: Spool) -> None:
        try:
            spool.put(number, await write_anchor(group, self._writer, self._seen()))
            self._finished(sum(not request.reserve for request in group))
        except RunEnded:
            self._ended = True
        finally:
            self._in_work -= len(group)
            self._changed.set()
