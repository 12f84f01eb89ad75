"""What batches, a local model and servers of the job's own promise when things go wrong."""

import json
import signal
import sys
import time
from pathlib import Path

import pytest
from generation_stage import SECRET_TEXT, Stage, many_sets, request
from longtail_icd.common.errors import UserError
from longtail_icd.generation.requests import Assessment
from longtail_icd.generation.runner.patience import Patience
from longtail_icd.generation.servers.opening import Beside
from longtail_icd.generation.spool import Spool
from longtail_icd.generation.writers import Shard, write_shard
from stand_in_batches import StandInBatches, answered_line, batch_writer, failed_line

QUICK = Patience(first_wait_s=0.01, longest_wait_s=0.05, attempts_unreached=3, attempts=4)


class LetAllPass:
    """A screen that rejects no note."""

    def assess(self, request, draft):
        return Assessment(draft.text, [], [], [])


def write(folder, settings, count=12, **changes):
    """Return the drafts for that many anchors of one request each, in the plan's order."""
    asked = [request(f"r{i}", anchor=f"a{i}", seed=i, **changes) for i in range(count)]
    shard = Shard(lambda: iter(asked), count, LetAllPass(), None, lambda: lambda *_: False)
    beside = Beside(folder / "batch", folder / "logs" / "job.log")
    folder.mkdir(exist_ok=True)
    with Spool(folder) as spool:
        write_shard(shard, settings, None, folder / "journal", spool, QUICK, beside)
        return list(spool.drafts())


def reasons(drafts):
    return [draft.finish_reason for draft in drafts]


def answers_of_all(folder, answer=answered_line):
    """Answer all files of requests in a folder, as `vllm run-batch` would."""
    for path in folder.glob("requests-*.jsonl"):
        lines = map(json.loads, path.read_text().splitlines())
        path.with_name(path.name.replace("requests", "answers")).write_bytes(
            b"".join(map(answer, lines))
        )


def test_batches_answer_every_question_once(tmp_path):
    with StandInBatches() as provider:
        drafts = write(tmp_path, provider.writer())
        assert reasons(drafts) == ["stop"] * 12
        assert len(provider.batches) == 3 and set(provider.asked.values()) == {1}
        assert {draft.endpoint for draft in drafts} == {provider.base_url}
        # Nothing stays at the provider, and nothing that is not answers stays in the folder.
        assert provider.files == {}
        made = len(provider.paths)
        assert write(tmp_path, provider.writer()) == drafts
        assert len(provider.paths) == made


def test_a_second_step_is_a_second_round(tmp_path):
    with StandInBatches() as provider:
        drafts = write(tmp_path, provider.writer(max_lines=100), follow_up="Now the prose.")
        assert all(draft.plan and draft.text != draft.plan for draft in drafts)
        assert len(provider.batches) == 2


@pytest.mark.parametrize("status", ["expired", "cancelled", "completed"])
def test_finished_lines_of_a_batch_that_ends_early_are_kept_and_the_rest_is_asked_again(
    tmp_path, status
):
    def decide(number, lines):
        return (status, 7) if number == 0 else ("completed", lines)

    with StandInBatches(decide) as provider:
        drafts = write(tmp_path, provider.writer(max_lines=100))
        assert reasons(drafts) == ["stop"] * 12
        assert sorted(provider.asked.values()) == [1] * 7 + [2] * 5
        assert sorted(draft.attempts for draft in drafts) == [1] * 7 + [2] * 5


def test_a_question_that_keeps_failing_is_given_up_and_the_others_are_not(tmp_path):
    def all_but_one(number, lines):
        return "completed", lines - 1 if number in (0, 1) else lines

    with StandInBatches(all_but_one, failing=400) as provider:
        drafts = write(tmp_path, provider.writer(max_lines=100))
        assert sorted(reasons(drafts)) == ["error"] + ["stop"] * 11
        assert len(provider.batches) == 1, "a line that was rejected is not asked again"


def test_a_batch_of_which_nothing_comes_ends_the_run_with_its_reason(tmp_path):
    with StandInBatches(lambda *_: ("failed", 0)) as provider:
        with pytest.raises(UserError, match="batch batch-0 is failed and has no answers"):
            write(tmp_path, provider.writer(max_lines=100))
        provider.decide = lambda number, lines: ("completed", lines)
        assert reasons(write(tmp_path, provider.writer(max_lines=100))) == ["stop"] * 12


def test_a_batch_whose_every_line_was_rejected_ends_the_run_and_quotes_no_prompt(tmp_path):
    with StandInBatches(lambda *_: ("completed", 0), failing=400) as provider:
        with pytest.raises(UserError, match=r"none .* was answered \(HTTP status 400: 12\)") as no:
            write(tmp_path, provider.writer(max_lines=100))
        assert "Write r" not in str(no.value)


def test_a_provider_that_stumbles_is_asked_again_and_makes_no_batch_twice(tmp_path):
    with StandInBatches() as provider:
        provider.failures = [500, 429, 503]
        assert reasons(write(tmp_path, provider.writer(max_lines=100))) == ["stop"] * 12
        assert set(provider.asked.values()) == {1}


def test_a_batch_that_was_made_although_the_answer_got_lost_is_not_made_twice(tmp_path):
    with StandInBatches() as provider:
        serve, lost = provider.serve, []

        def lose_first_answer(method, path, body):
            status, answer = serve(method, path, body)
            if method == "POST" and path == "/v1/batches" and not lost:
                lost.append(True)
                return 500, b"{}"
            return status, answer

        provider.serve = lose_first_answer
        assert reasons(write(tmp_path, provider.writer(max_lines=100))) == ["stop"] * 12
        assert len(provider.batches) == 1


def test_a_killed_job_picks_its_batches_up(tmp_path):
    with StandInBatches(looks=10**9) as provider:
        stage = Stage(tmp_path, provider.writer(max_lines=2))
        assert stage.run("compose_prompts")[0] == 0
        job = stage.start("generate_notes")
        deadline = time.monotonic() + 60
        while len(provider.batches) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        job.send_signal(signal.SIGKILL)
        job.wait()
        assert not Path(stage.path("responses/000")).exists()
        provider.looks = 10**9 + 1
        provider._looked.update(dict.fromkeys(provider.batches, 10**9))
        status, printed = stage.run("generate_notes")
        assert status == 0, printed
        assert len(provider.batches) == 2 and set(provider.asked.values()) == {1}
        assert SECRET_TEXT not in printed


def test_the_gate_is_asked_before_a_file_goes_up(tmp_path):
    """An attestation for requests alone does not cover what is stored."""
    attestation = {
        **dict.fromkeys(("zero_retention", "no_training", "no_human_review"), True),
        **{"agreement_ref": "x", "by": "y", "date": "2020-01-01", "expires": "2099-01-01"},
    }
    with StandInBatches() as provider:
        with pytest.raises(UserError, match=r"attestation\.batch"):
            write(tmp_path, provider.writer(attestation=attestation), data_class="record")
        with pytest.raises(UserError, match="max_class"):
            write(tmp_path, provider.writer(max_class="public"), data_class="record")
        assert provider.paths == []


FILES = batch_writer(max_lines=8, model="org/model")


def test_files_wait_for_the_user_and_are_read_by_the_next_run(tmp_path):
    with pytest.raises(UserError, match=r"2 files .*vllm run-batch -i .*requests-\w+\.jsonl -o "):
        write(tmp_path, FILES)
    before = sorted(path.name for path in (tmp_path / "batch").iterdir())
    with pytest.raises(UserError, match="2 files"):
        write(tmp_path, FILES)
    assert sorted(path.name for path in (tmp_path / "batch").iterdir()) == before
    answers_of_all(tmp_path / "batch")
    drafts = write(tmp_path, FILES)
    assert reasons(drafts) == ["stop"] * 12
    assert {draft.endpoint for draft in drafts} == {None}
    assert (tmp_path / "batch").stat().st_mode & 0o777 == 0o700


def test_answers_cut_in_the_middle_are_kept_and_the_rest_waits(tmp_path):
    with pytest.raises(UserError, match="2 files"):
        write(tmp_path, FILES)
    answers_of_all(tmp_path / "batch")
    one = max((tmp_path / "batch").glob("answers-*"), key=lambda path: path.stat().st_size)
    one.write_bytes(one.read_bytes()[: one.stat().st_size // 2])
    with pytest.raises(UserError, match="1 files"):
        write(tmp_path, FILES)
    [rest] = (tmp_path / "batch").glob("requests-*")
    assert len(rest.read_text().splitlines()) in (4, 5)
    answers_of_all(tmp_path / "batch")
    assert reasons(write(tmp_path, FILES)) == ["stop"] * 12


def test_a_file_of_nothing_but_errors_is_not_waited_for_forever(tmp_path):
    with pytest.raises(UserError, match="2 files"):
        write(tmp_path, FILES)
    answers_of_all(tmp_path / "batch", lambda line: failed_line(line, 500))
    with pytest.raises(UserError, match=r"none .* answered \(HTTP status 500: \d\)"):
        write(tmp_path, FILES)
    with pytest.raises(UserError, match=r"none .* answered \(HTTP status 500: \d\)"):
        write(tmp_path, FILES)
    with pytest.raises(UserError, match="2 files"):
        write(tmp_path, FILES)


# Serves, and starts a helper that must not outlive it. What it is called with goes to a file.
SERVE = """
import os, pathlib, subprocess, sys
sys.path.insert(0, {tests!r})
from stand_in_server import StandInServer, always_ok
notes = pathlib.Path({notes!r})
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
with open(notes, "a") as stream:
    print(os.getpid(), helper.pid, os.environ.get("CUDA_VISIBLE_DEVICES"), file=stream, flush=True)
{before}
import threading
with StandInServer({decide}, port=int(sys.argv[1])):
    threading.Event().wait()
"""


def serving(folder, before="", decide="always_ok", **changes):
    """Return a writer whose server is a stand-in with a helper process."""
    notes = folder / "processes"
    tests = str(Path(__file__).parents[1])
    script = SERVE.format(tests=tests, notes=str(notes), before=before, decide=decide)
    writer = {
        "backend": "vllm",
        "model": str(folder),
        "revision": None,
        "command": [sys.executable, "-c", script, "{port}"],
        **{"max_tokens": 20, "temperature": 1.0, "top_p": 1.0, "concurrency": 4, "timeout_s": 5.0},
        **{"replicas": 1, "gpus_per_replica": 0, "start_s": 30.0},
    }
    return writer | changes


def processes(folder):
    """Return the ids of all processes that servers started."""
    return [
        int(number)
        for line in (folder / "processes").read_text().splitlines()
        for number in line.split()[:2]
    ]


def running(number):
    """Return whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def all_ended(folder, within_s=0.0):
    deadline = time.monotonic() + within_s
    while any(map(running, processes(folder))) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(running, processes(folder)))


def test_a_server_lives_as_long_as_its_job(tmp_path):
    drafts = write(tmp_path, serving(tmp_path, replicas=2), 24)
    assert reasons(drafts) == ["stop"] * 24
    assert len({draft.endpoint for draft in drafts}) == 2, "both servers are asked"
    assert len(processes(tmp_path)) == 4 and all_ended(tmp_path)
    assert [path.name for path in sorted((tmp_path / "logs").iterdir())] == [
        "job.server0.log",
        "job.server1.log",
    ]


def test_each_server_has_gpus_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    write(tmp_path, serving(tmp_path, replicas=2, gpus_per_replica=2), 2)
    devices = [line.split()[2] for line in (tmp_path / "processes").read_text().splitlines()]
    assert sorted(devices) == ["4,5", "6,7"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4")
    with pytest.raises(UserError, match="need 4 GPUs, and the job has 1"):
        write(tmp_path, serving(tmp_path, replicas=2, gpus_per_replica=2), 3)


def test_a_server_that_dies_at_its_start_is_named_with_its_log(tmp_path):
    with pytest.raises(UserError, match=r"exit status 3; see .*job\.server0\.log"):
        write(tmp_path, serving(tmp_path, "print('no such GPU'); sys.exit(3)"))
    assert "no such GPU" in (tmp_path / "logs/job.server0.log").read_text()
    assert all_ended(tmp_path), "its helper is ended too"


def test_a_server_that_never_gets_healthy_is_stopped_in_time(tmp_path):
    """It also takes no notice of SIGTERM, so that only SIGKILL ends it."""
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(1000)"
    before = time.monotonic()
    with pytest.raises(UserError, match=r"not healthy after 1 s; see .*job\.server0\.log"):
        write(tmp_path, serving(tmp_path, stubborn, start_s=1.0, stop_s=1.0))
    assert all_ended(tmp_path) and time.monotonic() - before < 20


def test_a_server_that_dies_at_work_ends_the_run_and_what_it_said_is_kept(tmp_path):
    dying = "lambda number, _: 'ok' if number < 8 else os._exit(9)"
    with pytest.raises(UserError, match=r"exit status 9; see .*job\.server0\.log"):
        write(tmp_path, serving(tmp_path, decide=dying), 40)
    assert all_ended(tmp_path)
    [journal] = (tmp_path / "journal").glob("*.jsonl")
    assert 1 <= len(journal.read_text().splitlines()) <= 8
    assert reasons(write(tmp_path, serving(tmp_path), 40)) == ["stop"] * 40


def test_a_command_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="there is no program vllm-of-tomorrow"):
        write(tmp_path, serving(tmp_path, command=["vllm-of-tomorrow", "serve"]))


def test_an_error_of_ours_stops_the_server(tmp_path, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(LetAllPass, "assess", fail)
    with pytest.raises(ExceptionGroup):
        write(tmp_path, serving(tmp_path))
    assert all_ended(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_job_that_is_killed_leaves_no_server_behind(tmp_path, number):
    stage = Stage(tmp_path, serving(tmp_path, decide="lambda *_: 'slow'"), sets=many_sets(20))
    assert stage.run("compose_prompts")[0] == 0
    job = stage.start("generate_notes")
    deadline = time.monotonic() + 60
    while not (tmp_path / "processes").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    assert any(map(running, processes(tmp_path)))
    job.send_signal(number)
    job.wait(timeout=60)
    assert all_ended(tmp_path, within_s=20)
