"""Texts on disk while a corpus is prepared: written as they come, read in any order."""

import os
from typing import BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa


class TextStore:
    """A file of texts; only where each begins and ends is held in memory: 16 bytes a text.

    On an unnamed temporary file it leaves nothing behind, even if its process is killed.
    """

    def __init__(self, file: BinaryIO):
        """Keep texts in ``file``, empty and open for writing and reading."""
        self._file = file
        self._starts = [np.empty(0, dtype=np.int64)]
        self._ends = [np.empty(0, dtype=np.int64)]
        self._size = 0
        self._rows = 0

    def append(self, texts: pl.Series) -> pl.Series:
        """Store texts (null as an empty one) and return their rows in the store."""
        array = texts.fill_null("").rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
        offsets = np.frombuffer(array.buffers()[1], dtype=np.int64)
        offsets = offsets[array.offset : array.offset + len(array) + 1]
        first, last = int(offsets[0]), int(offsets[-1])
        if last > first:
            self._file.write(memoryview(array.buffers()[2])[first:last])
        self._starts.append(offsets[:-1] - first + self._size)
        self._ends.append(offsets[1:] - first + self._size)
        self._size += last - first
        self._rows += len(array)
        return pl.int_range(self._rows - len(array), self._rows, dtype=pl.Int64, eager=True)

    def read(self, rows: np.ndarray) -> pl.Series:
        """Return the texts of these rows, in the order of ``rows``."""
        self._file.flush()
        # One array each: the store has been filled by now.
        self._starts, self._ends = [np.concatenate(self._starts)], [np.concatenate(self._ends)]
        starts, ends = self._starts[0][rows], self._ends[0][rows]
        places = zip(starts.tolist(), (ends - starts).tolist(), strict=True)
        # Not a memory map: its pages would count as this process's memory.
        file = self._file.fileno()
        data = b"".join([os.pread(file, length, start) for start, length in places])
        offsets = np.concatenate([[0], np.cumsum(ends - starts)]).astype(np.int64)
        buffers = [pa.py_buffer(offsets), pa.py_buffer(data)]
        return pl.from_arrow(pa.LargeStringArray.from_buffers(len(rows), *buffers))
