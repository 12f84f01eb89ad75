"""Writing the notes block by block: in parallel, in little memory, the same bytes every time.

A block's random numbers depend on the hospital's seed and the block's number, never on the
process that writes it. Its rows are dealt to several parts of the file, so that notes of one
admission lie far apart, as in the release; each portion is a gzip member of its own, and a file of
many members is one gzip file to every reader (gzip, pandas, pyarrow, polars).
"""

import gzip
import multiprocessing
import shutil
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl

from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_path
from longtail_icd.common.progress import progress
from longtail_icd.corpus.simulator.summaries import Block

PARTS = 8  # of the file
LEVEL = 2  # of the compression: 3.6 to 1 at a third of the time that level 6 takes
TIME = "%Y-%m-%d %H:%M:%S"


class Author(Protocol):
    """Writes the notes of a block as a table; ``quotes`` is polars' quote style for it."""

    quotes: str

    def frame(self, rng: np.random.Generator, block: Block) -> pl.DataFrame:
        """Return the block's notes."""


def stream_of(seed: np.random.SeedSequence, number: int) -> np.random.Generator:
    """Return the random numbers of a block: the first has the seed's own, the others children's."""
    if number == 0:
        return np.random.default_rng(seed)
    child = (*seed.spawn_key, number - 1)
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=child))


def _compressed(frame: pl.DataFrame, quotes: str, header: bool) -> bytes:
    text = frame.write_csv(include_header=header, quote_style=quotes, datetime_format=TIME)
    # mtime 0: else the clock would be in the file.
    return gzip.compress(text.encode(), compresslevel=LEVEL, mtime=0)


def write_block(
    author: Author, seed: np.random.SeedSequence, parts: int, block: Block
) -> tuple[int, list[bytes]]:
    """Return how many notes a block has, and its portion of each part of the file, compressed.

    The first portion of the first block begins with the header.
    """
    frame = author.frame(stream_of(seed, block.number), block)
    bounds = np.linspace(0, frame.height, parts + 1).astype(int)
    return frame.height, [
        _compressed(frame[start:end], author.quotes, header=block.number == 0 and part == 0)
        for part, (start, end) in enumerate(pairwise(bounds))
    ]


_shared: tuple[Author, np.random.SeedSequence, int]


def _share(author: Author, seed: np.random.SeedSequence, parts: int) -> None:
    """Give a new process what all blocks need, once."""
    global _shared  # noqa: PLW0603
    _shared = author, seed, parts


def _write_shared(block: Block) -> tuple[int, list[bytes]]:
    return write_block(*_shared, block)


def _written(
    author: Author,
    seed: np.random.SeedSequence,
    parts: int,
    blocks: Iterable[Block],
    processes: int,
) -> Iterator[tuple[int, list[bytes]]]:
    """Yield each block's portions in the blocks' order; a few blocks are in the works at a time."""
    if processes == 1:
        yield from (write_block(author, seed, parts, block) for block in blocks)
        return
    # A forked child of a process that has used polars can hang.
    context = multiprocessing.get_context("spawn")
    shared = (author, seed, parts)
    with ProcessPoolExecutor(processes, context, initializer=_share, initargs=shared) as pool:
        waiting = deque()
        try:
            for block in blocks:
                waiting.append(pool.submit(_write_shared, block))
                if len(waiting) > 2 * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise UserError(
                "a process that was writing notes was killed, perhaps for want of memory; give "
                "rule simulate_hospital more memory or fewer threads"
            ) from None


def write_notes(
    author: Author,
    seed: np.random.SeedSequence,
    blocks: Iterable[Block],
    number: int,
    path: Path,
    processes: int,
) -> int:
    """Write the notes of all blocks to one gzipped CSV file, whole or not at all.

    Args:
        author: writes a block's notes.
        seed: of the notes.
        blocks: in their order.
        number: of blocks.
        path: of the file.
        processes: how many blocks are written at a time.

    Returns:
        The number of notes.

    Raises:
        UserError: a process was killed.
    """
    # A hospital of one block is not cut up: its rows are in no order already.
    parts = PARTS if number > 1 else 1
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = 0
    with ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent)
        )
        names = [Path(folder) / str(part) for part in range(parts)]
        streams = [stack.enter_context(name.open("wb")) for name in names]
        written = _written(author, seed, parts, blocks, processes)
        for notes, portions in progress(written, number, "blocks of notes"):
            rows += notes
            for stream, portion in zip(streams, portions, strict=True):
                stream.write(portion)
        with atomic_path(path) as temporary, temporary.open("wb") as whole:
            for stream, name in zip(streams, names, strict=True):
                stream.close()
                with name.open("rb") as part:
                    shutil.copyfileobj(part, whole, 1 << 20)
                name.unlink()
    return rows
