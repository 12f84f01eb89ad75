"""Compaction makes the journal smaller and loses nothing, whoever reads or writes meanwhile."""

import os
import subprocess
import sys

import pytest
from longtail_icd.generation.journal import Journal, compaction, request_key
from longtail_icd.generation.journal.compaction import compact

ANSWER = {"text": "The patient did well. " * 40, "finish_reason": "stop"}
KEYS = [request_key({"seed": seed}) for seed in range(600)]


def write(folder, keys, **changes):
    journal = Journal(folder)
    for key in keys:
        journal.append(key, ANSWER | changes)
    journal.close()


def all_there(folder, keys=KEYS):
    journal = Journal(folder)
    return all(journal.get(key) is not None for key in keys)


def test_every_answer_is_there_once_and_the_first_one_counts(tmp_path):
    write(tmp_path, KEYS[:400])
    write(tmp_path, KEYS[300:], text="second")
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert compact(tmp_path) == (600, 2)
    (packed,) = tmp_path.iterdir()
    assert packed.suffix == ".parquet" and packed.stat().st_size < size / 5
    assert packed.stat().st_mode & 0o777 == 0o600
    journal = Journal(tmp_path)
    assert len(journal) == 600 and journal.get(KEYS[399]) == ANSWER
    assert journal.get(KEYS[400])["text"] == "second"
    assert compact(tmp_path) == (0, 0)
    # New answers go to new lines, and are packed into another file.
    write(tmp_path, [request_key({"seed": "new"})])
    assert compact(tmp_path) == (1, 1) and all_there(tmp_path)


def test_a_reader_goes_on_while_another_process_compacts(tmp_path):
    write(tmp_path, KEYS)
    reader = Journal(tmp_path)
    assert reader.get(KEYS[0]) == ANSWER
    compact(tmp_path)
    reader.close()  # its open files would still show the old lines
    assert all(reader.get(key) == ANSWER for key in KEYS[:300])


def test_a_reader_that_has_opened_nothing_yet_finds_its_way(tmp_path):
    write(tmp_path, KEYS)
    reader = Journal(tmp_path)
    assert len(reader) == 600
    compact(tmp_path)
    assert reader.get(KEYS[5]) == ANSWER


def test_a_writers_file_is_left_alone(tmp_path):
    """The writer is another process, and goes on writing after the compaction."""
    script = (
        "import sys; from longtail_icd.generation.journal import Journal\n"
        f"journal = Journal({str(tmp_path)!r})\n"
        "for key in sys.stdin:\n"
        "    journal.append(key.strip(), {'text': 'x'}); print('done', flush=True)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as writer:
        for number, key in enumerate(KEYS[:4]):
            writer.stdin.write(key + "\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == "done\n"
            if number == 1:
                assert compact(tmp_path) == (0, 0)
        writer.stdin.close()
    assert compact(tmp_path) == (4, 1) and all_there(tmp_path, KEYS[:4])


def test_a_crash_before_the_new_file_is_whole_changes_nothing(tmp_path, monkeypatch):
    write(tmp_path, KEYS[:10])
    before = {path.name for path in tmp_path.iterdir()}

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(compaction.pq.ParquetWriter, "write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        compact(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == before and all_there(tmp_path, KEYS[:10])
