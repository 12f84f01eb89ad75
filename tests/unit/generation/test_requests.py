"""Requests as they are read back: complete, in order, and a batch at a time."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from generation_stage import prompts_table, request
from longtail_icd.common.errors import UserError
from longtail_icd.common.tables import ROWS_AT_ONCE, write_batches, write_table
from longtail_icd.generation.requests import requests_of

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"
MANY = [
    request(
        f"r{number}",
        codes=["401.9", "428.0"],
        chats=[[{"role": "user", "content": "é {} \n"}]] * (number % 3),
        follow_up="Now." if number % 2 else None,
        before="a ",
        knowledge=[{"code": "428.0", "synonyms": ["chf"]}],
        seed=number,
        reserve=number % 5 == 4,
    )
    for number in range(2 * ROWS_AT_ONCE + 3)
]


def test_requests_come_back_as_they_were_from_file_and_frame(tmp_path):
    frame = prompts_table(MANY)
    write_table(frame, tmp_path / "prompts.parquet", "generation/prompts")
    assert list(requests_of(frame)) == MANY
    assert list(requests_of(tmp_path / "prompts.parquet")) == MANY


def test_an_empty_table_has_no_requests():
    assert list(requests_of(prompts_table([]))) == []


def test_a_note_is_its_answers_inside_the_real_text():
    assert (
        request(before="It hurt. ", after=" Home.").note(["He fell."]) == "It hurt. He fell. Home."
    )
    assert request().note(["One", "Two"]) == "One\nTwo"


def test_a_table_of_an_older_version_is_one_clear_error(tmp_path):
    prompts_table(MANY).drop("chats").write_parquet(tmp_path / "prompts.parquet")
    with pytest.raises(UserError, match=r"column chats is missing.*-R compose_prompts"):
        list(requests_of(tmp_path / "prompts.parquet"))


PEAK = """
import resource, sys
from longtail_icd.generation.requests import requests_of
count = sum(1 for _ in requests_of(sys.argv[1]))
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_mb(path):
    command = [sys.executable, "-c", PEAK, str(path)]
    environment = {"PYTHONPATH": str(SCRIPTS), "POLARS_MAX_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return [int(number) for number in done.stdout.split()]


def batches(count):
    """Yield the table of that many requests of 10 kB each."""
    one = prompts_table([request(before="A word or two. " * 700)])
    for start in range(0, count, ROWS_AT_ONCE):
        number = pl.int_range(start, start + ROWS_AT_ONCE).cast(pl.String)
        yield pl.concat([one] * ROWS_AT_ONCE).with_columns(before=number + pl.col("before"))


def test_memory_is_flat_however_many_requests_there_are(tmp_path):
    """20,000 requests of 10 kB are 200 MB, and must not take so much."""
    counts = {"few": 4 * ROWS_AT_ONCE, "many": 80 * ROWS_AT_ONCE}
    read = {}
    for name, count in counts.items():
        write_batches(batches(count), tmp_path / name, "generation/prompts")
        read[name] = peak_mb(tmp_path / name)
        assert read[name][0] == count
    assert read["many"][1] - read["few"][1] < 20
