"""Answers of finished writers, packed into Parquet files with the columns key and answer."""

import json
from bisect import bisect_right
from collections import OrderedDict
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from longtail_icd.generation.journal.lines import KEY_BYTES

SCHEMA = pa.schema([("key", pa.binary(KEY_BYTES)), ("answer", pa.string())])
# Answers that are read together; neighbours were written by one job and are wanted together.
ROWS_PER_GROUP = 256
_GROUPS_HELD = 8


class CompactedFiles:
    """Reads single answers, and holds the last few groups of rows that it has read."""

    def __init__(self) -> None:
        self._files: dict[Path, tuple[pq.ParquetFile, list[int]]] = {}
        self._groups: OrderedDict[tuple[Path, int], pa.Table] = OrderedDict()

    def read(self, path: Path, row: int) -> tuple[str, dict[str, Any]]:
        """Return the key and the answer in one row of a file."""
        if path not in self._files:
            file = pq.ParquetFile(path)
            sizes = [file.metadata.row_group(at).num_rows for at in range(file.num_row_groups)]
            self._files[path] = file, [0, *accumulate(sizes)]
        file, starts = self._files[path]
        group = bisect_right(starts, row) - 1
        rows = self._group(path, file, group)
        at = row - starts[group]
        return rows["key"][at].as_py().hex(), json.loads(rows["answer"][at].as_py())

    def _group(self, path: Path, file: pq.ParquetFile, group: int) -> pa.Table:
        if (path, group) not in self._groups:
            self._groups[path, group] = file.read_row_group(group)
            if len(self._groups) > _GROUPS_HELD:
                self._groups.popitem(last=False)
        self._groups.move_to_end((path, group))
        return self._groups[path, group]
