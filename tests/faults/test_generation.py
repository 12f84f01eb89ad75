"""What the openai writer promises about servers that misbehave, against a stand-in on loopback."""

import errno
import itertools
import os
import random
import signal
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from generation_stage import SECRET_TEXT, Stage, many_sets, request
from longtail_icd.common.errors import UserError
from longtail_icd.generation.journal import Journal
from longtail_icd.generation.requests import Assessment
from longtail_icd.generation.runner.patience import Patience
from longtail_icd.generation.spool import Spool
from longtail_icd.generation.writers import Shard, write_shard
from stand_in_server import StandInServer, faulty

QUICK = Patience(
    first_wait_s=0.01,
    longest_wait_s=0.05,
    attempts_unreached=3,
    attempts=6,
    lost_in_a_row=3,
    busy_s=0.5,
    gone_s=0.5,
    probe_s=0.1,
)
KEY = "sk-never-show-this"
WRITER = StandInServer(port=1).writer(timeout_s=2.0)


class LetAllPass:
    """A screen that rejects no note."""

    def assess(self, request, draft):
        return Assessment(draft.text, [], [], [])


def requests(count):
    return [request(f"r{i}", anchor=f"a{i}", seed=i) for i in range(count)]


def write(folder, count=12, *, patience=QUICK, **settings):
    """Return the drafts for that many anchors of one request each, in the plan's order."""
    shard = Shard(
        lambda: iter(requests(count)), count, LetAllPass(), None, lambda: lambda *_: False
    )
    folder.mkdir(exist_ok=True)
    with Spool(folder) as spool:
        write_shard(shard, WRITER | settings, None, folder / "journal", spool, patience)
        return list(spool.drafts())


def no_connection(monkeypatch):
    """Fail the test if anything opens a connection."""

    def connect(*_, **__):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr("socket.socket.connect", connect)
    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.create_connection", connect)
    monkeypatch.setattr("asyncio.selector_events.BaseSelectorEventLoop.sock_connect", connect)


def closed_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_faults_that_pass_lose_nothing_and_ask_nothing_twice(tmp_path):
    """A third of all tries fail with 429, 500 or a cut connection."""
    with StandInServer(faulty(0.33)) as server:
        # However slow the machine, this server is never given up.
        answers = write(tmp_path, 60, base_url=server.base_url, patience=replace(QUICK, busy_s=60))
    assert [answer.request_id for answer in answers] == [f"r{i}" for i in range(60)]
    assert {answer.finish_reason for answer in answers} == {"stop"}
    assert len({answer.text for answer in answers}) == 60
    assert set(server.answered.values()) == {1} and len(server.answered) == 60
    assert sum(answer.attempts for answer in answers) == len(server.requests) > 60
    assert server.peak <= 4


ALL_FAULTS = ["429", "busy", "500", "cut", "slow", "half", "garbage"]


@pytest.mark.parametrize("count", [280, pytest.param(5000, marks=pytest.mark.slow)])
def test_a_fifth_of_all_requests_fails_in_every_way_and_none_is_lost(tmp_path, count):
    """429 with and without Retry-After, 500, cut, hanging and half answers, invalid JSON."""
    patient = replace(QUICK, attempts=40, busy_s=120, lost_in_a_row=1000)
    with StandInServer(faulty(0.2, kinds=ALL_FAULTS)) as server:
        settings = {"base_url": server.base_url, "concurrency": 32, "timeout_s": 1.0}
        drafts = write(tmp_path, count, patience=patient, **settings)
        # A hang or half an answer is one that the client never got.
        given = sum(server.answered.values())
        rerun = len(server.requests)
        assert write(tmp_path, count, patience=patient, **settings) == drafts
        assert len(server.requests) == rerun
    assert [draft.request_id for draft in drafts] == [f"r{i}" for i in range(count)]
    assert {draft.finish_reason for draft in drafts} == {"stop"}
    assert given == len(server.answered) == count


def test_a_full_disk_ends_the_run_with_one_error_and_loses_no_answer(tmp_path, monkeypatch):
    append, stored = Journal._append, []

    def full(journal, key, line):
        if len(stored) == 5:
            raise OSError(errno.ENOSPC, SECRET_TEXT)
        append(journal, key, line)
        stored.append(key)

    with StandInServer() as server:
        monkeypatch.setattr(Journal, "_append", full)
        with pytest.raises(UserError, match=r"journal: .*No space left on device.*run again"):
            write(tmp_path, 12, base_url=server.base_url)
        monkeypatch.undo()
        write(tmp_path, 12, base_url=server.base_url)
    # What was under way when the disk was full could not be kept.
    assert sum(server.answered.values()) - 12 <= 4


@pytest.mark.parametrize("kind", ["429", "500", "503", "cut", "garbage", "page", "hollow"])
def test_one_failure_of_each_kind_is_waited_out(tmp_path, kind):
    with StandInServer(lambda number, _: kind if number == 0 else "ok") as server:
        answers = write(tmp_path, 3, base_url=server.base_url, concurrency=1)
    assert [answer.attempts for answer in answers] == [2, 1, 1]
    assert {answer.endpoint for answer in answers} == {server.base_url}


def test_a_slow_answer_is_a_timeout_and_asked_again(tmp_path, capsys):
    with StandInServer(lambda number, _: "slow" if number == 0 else "ok") as server:
        answers = write(tmp_path, 2, base_url=server.base_url, timeout_s=0.3)
    assert {answer.finish_reason for answer in answers} == {"stop"}
    assert "errors: timeout 1" in capsys.readouterr().out


def test_retry_after_is_honoured_by_all_workers(tmp_path):
    behaviour = lambda number, _: "429" if number == 0 else "ok"  # noqa: E731
    with StandInServer(behaviour, retry_after="1") as server:
        write(tmp_path, 4, base_url=server.base_url, concurrency=1)
    first, second, *_ = server.times
    assert 1.0 <= second - first < 2.0


def test_a_busy_server_costs_no_try_but_not_forever(tmp_path):
    """More 429s than tries are waited out; a server that is busy for good ends the run."""
    with StandInServer(lambda number, _: "429" if number < 9 else "ok") as server:
        patient = replace(QUICK, busy_s=60)  # longer than nine waits on a slow machine
        assert write(tmp_path, 1, base_url=server.base_url, patience=patient)[0].attempts == 10
    with StandInServer(lambda *_: "429") as server, pytest.raises(UserError, match="too busy"):
        write(tmp_path / "other", 2, base_url=server.base_url)


def test_what_a_server_says_about_an_answer_is_kept_for_the_screening(tmp_path):
    kinds = ["truncated", "empty", "refusal", "ok"]
    with StandInServer(lambda number, _: kinds[number]) as server:
        answers = write(tmp_path, 4, base_url=server.base_url, concurrency=1)
        assert [answer.finish_reason for answer in answers] == ["length", "stop", "stop", "stop"]
        assert answers[1].text == ""
        assert write(tmp_path, 4, base_url=server.base_url) == answers
        assert len(server.requests) == 4


@pytest.mark.parametrize("kind", ["400", "401", "403", "404", "405", "422", "redirect"])
def test_what_does_not_pass_stops_at_once_with_one_line(tmp_path, kind):
    with StandInServer(lambda *_: kind) as server:
        with pytest.raises(UserError) as error:
            write(tmp_path, 50, base_url=server.base_url)
        assert len(server.requests) <= 4
    assert server.base_url in str(error.value) and "\n" not in str(error.value)


def test_a_fatal_answer_does_not_lose_those_under_way(tmp_path):
    with (
        StandInServer(lambda number, _: "401" if number == 3 else "ok", latency_s=0.1) as server,
        pytest.raises(UserError, match="api_key_env"),
    ):
        write(tmp_path, 30, base_url=server.base_url)
    with StandInServer() as second:
        write(tmp_path, 30, base_url=second.base_url)
    assert not set(server.answered) & set(second.answered)
    assert len(server.answered) + len(second.answered) == 30


@pytest.mark.parametrize("kind", ["500", "cut", "garbage"])
def test_one_request_that_always_fails_does_not_stop_the_others(tmp_path, kind):
    """It becomes a row without an answer, and the next run asks for it again."""
    with StandInServer(lambda _, body: kind if body["seed"] == 5 else "ok") as server:
        answers = write(tmp_path, base_url=server.base_url)
    bad = answers.pop(5)
    assert bad.finish_reason in ("error", "invalid") and bad.text == ""
    assert {answer.finish_reason for answer in answers} == {"stop"}
    with StandInServer() as server:
        assert write(tmp_path, base_url=server.base_url)[5].finish_reason == "stop"
        assert len(server.requests) == 1


def test_bad_requests_among_good_ones_do_not_add_up(tmp_path):
    """Six hopeless requests, never more than three in a row: the endpoint is not held at fault."""
    with StandInServer(lambda _, body: "500" if body["seed"] % 3 == 1 else "ok") as server:
        answers = write(tmp_path, 18, base_url=server.base_url, concurrency=1)
    assert [answer.finish_reason for answer in answers] == ["stop", "error", "stop"] * 6


@pytest.mark.parametrize("kind", ["500", "cut", "garbage", "page"])
def test_a_server_that_only_fails_ends_the_run_with_one_error(tmp_path, kind):
    with StandInServer(lambda *_: kind) as server, pytest.raises(UserError) as error:
        write(tmp_path, base_url=server.base_url)
    assert server.base_url in str(error.value)


def test_a_server_that_breaks_half_way_ends_the_run_and_keeps_the_answers(tmp_path):
    breaks = StandInServer(lambda number, _: "ok" if number < 20 else "500")
    with breaks as server, pytest.raises(UserError, match="status 500"):
        write(tmp_path, 60, base_url=server.base_url)
    with StandInServer() as second:
        assert len(write(tmp_path, 60, base_url=second.base_url)) == 60
    assert len(second.requests) == 40


def test_an_unreachable_endpoint_is_one_error_soon(tmp_path):
    started = time.monotonic()
    url = f"http://127.0.0.1:{closed_port()}/v1"
    with pytest.raises(UserError, match="start the server, or correct host and port") as error:
        write(tmp_path, base_url=url)
    assert url in str(error.value) and time.monotonic() - started < 5
    # With the patience that a job has it takes seconds, too.
    assert sum(Patience().wait_s(n, 1.0) for n in range(1, Patience().attempts_unreached)) < 10


@pytest.mark.parametrize("host", ["203.0.113.7", "api.openai.example", "[2001:db8::1]"])
def test_other_hosts_are_refused_before_any_connection(tmp_path, monkeypatch, host):
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("203.0.113.7", 80))])
    no_connection(monkeypatch)
    with pytest.raises(UserError, match="not this machine"):
        write(tmp_path, base_url=f"http://{host}:8000/v1")


def test_a_name_that_turns_to_another_host_is_refused_at_the_next_request(tmp_path, monkeypatch):
    """The gate looks again at every request, so a changed name server gains nothing."""
    addresses = itertools.chain(["127.0.0.1"], itertools.repeat("203.0.113.7"))
    monkeypatch.setattr(
        "socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (next(addresses), 80))]
    )
    no_connection(monkeypatch)
    with pytest.raises(UserError, match="not this machine"):
        write(tmp_path, base_url="http://name.example:8000/v1")


def test_the_environment_does_not_redirect_or_sign_requests(tmp_path, monkeypatch):
    """Proxies, the SDK's own variables and its debug log are all ignored."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "from-the-environment")
    with StandInServer() as server:
        write(tmp_path, 2, base_url=server.base_url)
    assert len(server.requests) == 2
    assert "from-the-environment" not in str(server.requests)


def test_a_redirect_is_not_followed(tmp_path):
    with StandInServer() as other, StandInServer(lambda *_: "redirect") as server:
        with pytest.raises(UserError, match="not followed"):
            write(tmp_path, base_url=server.base_url)
        assert other.requests == []


def everything_written(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("behaviour", ["ok", "quoting", "500", "401"])
def test_no_key_and_no_text_in_logs_outputs_or_journal(tmp_path, behaviour):
    """Whatever happens, and even with the SDK's debug log asked for."""
    calls = itertools.count()
    with StandInServer(lambda *_: "ok" if next(calls) == 0 else behaviour) as server:
        stage = Stage(tmp_path, server.writer(concurrency=1, api_key_env="STAND_IN_KEY"))
        options = {"STAND_IN_KEY": KEY, "OPENAI_LOG": "debug"}
        outcome = [stage.run("compose_prompts")]
        if behaviour == "500":
            # Ends only after all tries; what was printed until then is what counts.
            process = stage.start("generate_notes", **options)
            until = time.monotonic() + 60
            while len(server.requests) < 3 and time.monotonic() < until:
                time.sleep(0.05)
            process.kill()
            outcome.append((0, process.communicate()[0]))
        else:
            outcome.append(stage.run("generate_notes", **options))
    assert outcome[0][0] == 0
    assert (outcome[1][0] == 0) == (behaviour in ("ok", "500"))
    headers, _ = server.requests[0]
    assert headers["authorization"] == f"Bearer {KEY}"
    assert SECRET_TEXT in str(server.requests)
    logs = everything_written(tmp_path / "logs").decode() + "".join(text for _, text in outcome)
    assert "answers stored" in logs
    for secret in (SECRET_TEXT, "zeppelin", KEY, "Stand-in note"):
        assert secret not in logs
    assert KEY.encode() not in everything_written(tmp_path)
    assert SECRET_TEXT.encode() not in everything_written(tmp_path / "journal")


def test_a_missing_key_is_told_by_the_variables_name(tmp_path):
    with StandInServer() as server:
        stage = Stage(tmp_path, server.writer(api_key_env="STAND_IN_KEY"))
        status, printed = stage.run("compose_prompts", "generate_notes")
    assert status == 1 and "STAND_IN_KEY" in printed and "Traceback" not in printed
    assert server.requests == []


@pytest.mark.parametrize("kills", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_kills_lose_no_answer_and_repeat_only_what_was_under_way(tmp_path, kills):
    """kill -9 at random moments; the last run ends with what an undisturbed one writes."""
    sets, at_once = many_sets(120), 4
    with StandInServer() as calm:
        whole = Stage(tmp_path / "whole", calm.writer(), sets=sets)
        assert whole.run("compose_prompts", "generate_notes")[0] == 0
        expected = whole.read("responses/000")
    moments = random.Random(1)
    with StandInServer(latency_s=0.02) as server:
        stage = Stage(tmp_path / "killed", server.writer(concurrency=at_once), sets=sets)
        stage.run("compose_prompts")
        for _ in range(kills):
            process = stage.start("generate_notes")
            until = len(server.requests) + moments.randint(1, 9)
            while len(server.requests) < until:
                time.sleep(0.005)
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
        assert not Path(stage.path("responses/000")).exists()
        time.sleep(0.2)
        status, printed = stage.run("generate_notes")
        assert status == 0, printed
        # Answered more often than once: only what was under way at a kill.
        assert sum(server.answered.values()) - 120 <= kills * at_once
        asked = len(server.requests)
        stage.run("generate_notes")
        assert len(server.requests) == asked
    columns = [column for column in expected.columns if column != "endpoint"]
    assert stage.read("responses/000").select(columns).equals(expected.select(columns))


def test_a_server_that_goes_away_is_waited_for(tmp_path):
    """It stops in the middle and comes back at the same address: nothing fails, nothing repeats."""
    port = closed_port()
    first = StandInServer(latency_s=0.02, port=port)
    first.__enter__()
    second = StandInServer(port=port)

    def restart():
        while len(first.requests) < 20:
            time.sleep(0.01)
        first.__exit__()
        time.sleep(0.5)
        second.__enter__()

    helper = threading.Thread(target=restart)
    helper.start()
    patient = replace(QUICK, gone_s=20)
    drafts = write(tmp_path, 60, patience=patient, base_url=f"http://127.0.0.1:{port}/v1")
    helper.join()
    second.__exit__()
    assert {draft.finish_reason for draft in drafts} == {"stop"}
    assert not set(first.answered) & set(second.answered)
    assert any(headers["target"].startswith("GET /health") for headers, _ in second.requests)


def test_several_servers_share_the_work_and_one_may_be_missing(tmp_path):
    with StandInServer(latency_s=0.02) as one, StandInServer(latency_s=0.02) as other:
        urls = [one.base_url, other.base_url, f"http://127.0.0.1:{closed_port()}/v1"]
        drafts = write(tmp_path, 40, base_url=None, base_urls=urls, concurrency=8)
    assert {draft.finish_reason for draft in drafts} == {"stop"}
    assert min(len(one.answered), len(other.answered)) >= 10


def test_a_spent_budget_stops_the_run_and_keeps_the_answers(tmp_path):
    """50 answer tokens at 20,000 a million are 1 each: after five or so the money is gone."""
    budget = {"money": 5.0, "prompt_price": 0.0, "completion_price": 20_000.0}
    with StandInServer() as server:
        with pytest.raises(UserError, match="money budget of this job is spent"):
            write(tmp_path, 40, base_url=server.base_url, budget=budget)
        assert 5 <= len(server.requests) <= 5 + 4
        asked = len(server.requests)
        write(tmp_path, 40, base_url=server.base_url)
    assert len(server.requests) == 40 > asked and set(server.answered.values()) == {1}


def test_requests_per_minute_are_kept(tmp_path):
    budget = {"requests_per_minute": 600}
    with StandInServer() as server:
        write(tmp_path, 15, base_url=server.base_url, concurrency=15, budget=budget)
    # Ten a second, after a second's worth at most.
    assert server.times[-1] - server.times[0] >= 0.35


def test_more_shards_reuse_every_answer(tmp_path):
    sets = many_sets(20)
    with StandInServer() as server:
        stage = Stage(tmp_path, server.writer(), sets=sets)
        stage.run("compose_prompts", "generate_notes")
        assert len(server.requests) == 20
        stage.shards = 3
        for shard in range(3):
            assert stage.run("compose_prompts", "generate_notes", shard=shard)[0] == 0
        assert len(server.requests) == 20
    rows = [stage.read(f"responses/{shard:03d}").height for shard in range(3)]
    assert sum(rows) == 20


def test_the_collected_table_is_the_same_bytes_whatever_the_shards(tmp_path):
    """Same plan, recipe and journal: shard count and order of the answers leave no trace."""
    rules = ["compose_prompts", "generate_notes", "screen_notes"]
    collected = []
    with StandInServer(faulty(0.2)) as server:
        for shards in (1, 3):
            stage = Stage(tmp_path, server.writer(), shards=shards, sets=many_sets(24))
            for shard in range(shards):
                status, printed = stage.run(*rules, shard=shard)
                assert status == 0, printed
            assert stage.run("collect_notes")[0] == 0
            names = ("all/notes", "all/labels")
            collected.append([Path(stage.path(name)).read_bytes() for name in names])
    assert collected[0] == collected[1]


@pytest.mark.parametrize("backend", [pytest.param("offline", marks=pytest.mark.slow), "openai"])
def test_the_whole_stage_and_a_deleted_shard_alone(tmp_path, backend):
    with StandInServer() as server:
        writer = {"backend": "offline"}
        if backend == "openai":
            writer = server.writer()
        stage = Stage(tmp_path, writer, shards=2, sets=many_sets(8))
        rules = ["compose_prompts", "generate_notes", "screen_notes"]
        for shard in range(2):
            status, printed = stage.run(*rules, shard=shard)
            assert status == 0, printed
        status, printed = stage.run("collect_notes")
        assert status == 0, printed
        assert "8 of 8 notes are ok" in printed and "are ok: all 3, some 0, none 0" in printed
        asked = len(server.requests)
        for name in ("responses/000", "screened/000/notes"):
            file = Path(stage.path(name))
            before = file.read_bytes()
            file.unlink()
            stage.run("generate_notes" if "responses" in name else "screen_notes")
            assert file.read_bytes() == before
        assert len(server.requests) == asked
    notes, labels = stage.read("all/notes"), stage.read("all/labels")
    assert notes["request_id"].is_sorted() and notes.height == 8
    assert labels.height == sum(len(companions) + 1 for _, companions, _ in many_sets(8))
    if backend == "offline":
        assert set(labels["verdict"]) == {"stated"}


def test_a_stage_without_a_good_note_leaves_no_output(tmp_path):
    with StandInServer(lambda *_: "refusal") as server:
        stage = Stage(tmp_path, server.writer())
        assert stage.run("compose_prompts", "generate_notes", "screen_notes")[0] == 0
        status, printed = stage.run("collect_notes")
    assert status == 1 and "none of 4 notes passed the screening (refused 4" in printed
    assert not (tmp_path / "all").exists()
