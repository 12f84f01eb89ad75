"""Benchmark of the generation stage: a writer's rate, losses and memory, against a stand-in server.

The stand-in on loopback is no language model: it answers after a fixed time, 6 kB a note, and fails
a share of the requests with 429, 500 or a cut connection. `capacity_share` is our rate after the
ramp-up, while all allowed requests are in flight, over the server's own capacity: what as many bare
sockets get from it in the same run that send one request of that length again and again. `lost`
counts requests without an answer, `repeated` those that the server answered more than once.
`cpu_ratio` is our CPU time over that of the plain way, in the same run: the same client with its
own retries, a semaphore and gather, and nothing stored on the way. `journal`: opening the index of
so many answers of 6 kB, with and without the index files, and what the journal costs the first and
the last of the shards that fill it, each a file of its own. Prompts and the offline writer are
timed beside it. Screening is not part of it (benchmarks/screening.py).

`--grow-from N` also measures our peak memory for N requests: flat means `memory_growth` near 1.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import urlsplit

from measure import measured, report, versus

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests")]
NOTES_PER_ANCHOR = 11  # as the paper's mean
ANSWER_BYTES = 6000
PROMPT = {"template": "paper", "seed": 1}
EXAMPLE = "An example in many words. " * 230


def compose(count):
    """Return prompts for that many hand-made code sets, each with a 6,000-character example."""
    from generation_stage import (  # noqa: PLC0415
        code_sets,
        many_sets,
        synonyms,
        taxonomy,
        tiers,
    )
    from longtail_icd.generation.knowledge import wanted_facts  # noqa: PLC0415
    from longtail_icd.generation.prompts.compose import compose_prompts  # noqa: PLC0415
    from longtail_icd.generation.prompts.material import Material  # noqa: PLC0415
    from longtail_icd.generation.prompts.templates import load_template  # noqa: PLC0415

    sets = code_sets(many_sets(count))
    facts = wanted_facts(sets, tiers(), taxonomy(), synonyms())
    texts = dict.fromkeys(sets["request_id"], EXAMPLE)
    template = load_template(ROOT / "resources" / "prompts" / "paper.j2")
    start = time.perf_counter()
    prompts = compose_prompts(sets, facts, template, PROMPT, Material(exemplars=texts))
    return prompts, time.perf_counter() - start


def write_prompts(count, path):
    """Write a table of that many different requests and return how long composing took."""
    from longtail_icd.common.tables import write_rows  # noqa: PLC0415

    prompts, seconds = compose(min(count, 600))
    rows = islice(cycle(prompts.to_dicts()), count)
    own = (
        {"request_id": f"r{at:06d}", "anchor": f"a{at // NOTES_PER_ANCHOR:06d}", "seed": at}
        for at in range(count)
    )
    rows = (row | names for row, names in zip(rows, own, strict=True))
    write_rows(rows, path, "generation/prompts")
    return seconds * count / prompts.height


def let_pass(request, draft):
    from longtail_icd.generation.requests import Assessment  # noqa: PLC0415

    return Assessment(draft.text, [], [], [])


def write_notes(path, count, settings, folder):
    """Write a shard as the rule does, without screening; return how many notes have no answer."""
    from types import SimpleNamespace  # noqa: PLC0415

    from longtail_icd.common.tables import scan_table, write_rows  # noqa: PLC0415
    from longtail_icd.generation.requests import NO_ANSWER, requests_of  # noqa: PLC0415
    from longtail_icd.generation.runner.patience import Patience  # noqa: PLC0415
    from longtail_icd.generation.spool import Spool  # noqa: PLC0415
    from longtail_icd.generation.writers import Shard, write_shard  # noqa: PLC0415

    screen = SimpleNamespace(assess=let_pass)
    shard = Shard(partial(requests_of, path), count, screen, None, lambda: lambda *_: False)
    prose, output = ROOT / "resources" / "offline_prose.yaml", folder / "responses.parquet"
    patience = Patience(first_wait_s=0.5, longest_wait_s=8.0)
    with Spool(folder) as spool:
        write_shard(shard, settings, prose, folder / "journal", spool, patience)
        write_rows(map(vars, spool.drafts()), output, "generation/responses")
    reasons = scan_table(output, "generation/responses").select("finish_reason").collect()
    return reasons["finish_reason"].is_in(NO_ANSWER).sum() + count - reasons.height


def ask_plainly(path, count, settings, folder):
    import openai  # noqa: PLC0415
    import polars as pl  # noqa: PLC0415

    async def everything():
        semaphore = asyncio.Semaphore(settings["concurrency"])
        client = openai.AsyncOpenAI(api_key="none", base_url=settings["base_url"], timeout=60.0)

        async def one(chats, seed):
            async with semaphore:
                answer = await client.chat.completions.create(
                    model="stand-in", messages=json.loads(chats)[0], max_tokens=512, seed=seed
                )
                return answer.choices[0].message.content

        rows = pl.read_parquet(path).select("chats", "seed").iter_rows()
        answers = await asyncio.gather(*(one(*row) for row in rows), return_exceptions=True)
        await client.close()
        return answers

    answers = asyncio.run(everything())
    (folder / "answers.json").write_text(json.dumps([str(answer) for answer in answers]))
    return sum(isinstance(answer, Exception) for answer in answers)


def ask_barely(path, count, settings, folder):
    """Send one request again and again over bare sockets; what comes back is not looked at."""
    port = urlsplit(settings["base_url"]).port
    chat = [{"role": "user", "content": EXAMPLE}]
    body = json.dumps({"model": "stand-in", "messages": chat, "max_tokens": 512}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n".encode()

    async def ask_for(share):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        for _ in share:
            writer.write(head + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(answer.split(b"content-length: ")[1].split(b"\r\n")[0]))
        writer.close()

    async def everything():
        at_once = settings["concurrency"]
        await asyncio.gather(*(ask_for(range(at, count, at_once)) for at in range(at_once)))

    asyncio.run(everything())
    return 0


def steady_rate(times, concurrency, latency):
    """Return requests per second of the middle half, or of all where there are few."""
    if len(times) < 20 * concurrency:
        return len(times) / (times[-1] - times[0] + latency)
    first, last = len(times) // 4, 3 * len(times) // 4
    return (last - first) / (times[last] - times[first])


def against_stand_in(write, path, count, arguments):
    """Return what a writer lost, its figures, its rate and how often an answer was repeated."""
    from stand_in_server import StandInServer, faulty  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        # A process of its own, so that the server's work is not counted as the writer's.
        with StandInServer(
            faulty(arguments.faults), latency_s=arguments.latency, answer_bytes=ANSWER_BYTES
        ) as server:
            settings = server.writer(concurrency=arguments.concurrency, timeout_s=60.0)
            lost, figures = measured(partial(write, path, count, settings, Path(folder)))
        repeated = sum(answers - 1 for answers in server.answered.values())
        rate = steady_rate(sorted(server.times), arguments.concurrency, arguments.latency)
    return lost, figures, rate, repeated


def capacity_of(path, count, arguments):
    """Return the requests per second that the stand-in answers at most, none of them failing."""
    faultless = argparse.Namespace(**vars(arguments) | {"faults": 0.0})
    return against_stand_in(ask_barely, path, count, faultless)[2]


def fill_journal(folder, count, files):
    """Store answers as the jobs of so many shards do; return the first and the last one's time."""
    from longtail_icd.generation.journal import Journal, request_key  # noqa: PLC0415

    answer = {"text": "The patient did well. " * (ANSWER_BYTES // 22), "finish_reason": "stop"}
    seconds = []
    for shard in range(files):
        start = time.perf_counter()
        journal = Journal(folder)
        for key in (request_key({"seed": number}) for number in range(shard, count, files)):
            assert journal.get(key) is None
            journal.append(key, answer)
        journal.close()
        seconds.append(time.perf_counter() - start)
    return round(seconds[0], 3), round(seconds[-1], 3)


def open_journal(folder):
    from longtail_icd.generation.journal import Journal, request_key  # noqa: PLC0415

    start = time.perf_counter()
    journal = Journal(folder)
    size = len(journal)
    opened = time.perf_counter() - start
    assert journal.get(request_key({"seed": size // 2})) is not None
    return opened


def journal_figures(count, files):
    with tempfile.TemporaryDirectory() as folder:
        (first_s, last_s), _ = measured(partial(fill_journal, folder, count, files))
        indexed, figures = measured(partial(open_journal, folder))
        for path in Path(folder).glob("*.index"):
            path.unlink()
        scanned, scan_figures = measured(partial(open_journal, folder))
    return {
        "answers": count,
        "files": files,
        "first_shard_s": first_s,
        "last_shard_s": last_s,
        "open_s": round(indexed, 3),
        "peak_rss_mb": figures["peak_rss_mb"],
        "open_without_index_s": round(scanned, 3),
        "peak_rss_mb_without_index": scan_figures["peak_rss_mb"],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", type=int, default=600)
    parser.add_argument("--grow-from", type=int, default=None, help="fewer notes, for memory")
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds per answer")
    parser.add_argument("--faults", type=float, default=0.1, help="share of failing requests")
    parser.add_argument("--answers", type=int, default=9000, help="in the journal to open")
    parser.add_argument("--files", type=int, default=1, help="of that journal: one a shard")
    arguments = parser.parse_args()
    count, growth = arguments.notes, {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prompts.parquet"
        compose_s, _ = measured(partial(write_prompts, count, path))
        offline = partial(write_notes, path, count, {"backend": "offline"}, Path(folder))
        _, offline_figures = measured(offline)
        if arguments.grow_from:  # first: a child's memory begins with what its parent holds
            few = Path(folder) / "few.parquet"
            measured(partial(write_prompts, arguments.grow_from, few))
            _, small, _, _ = against_stand_in(write_notes, few, arguments.grow_from, arguments)
        lost, ours, rate, repeated = against_stand_in(write_notes, path, count, arguments)
        if arguments.grow_from:
            growth = {"memory_growth": round(ours["peak_rss_mb"] / small["peak_rss_mb"], 2)}
        lost_plainly, plain, _, _ = against_stand_in(ask_plainly, path, count, arguments)
        capacity = capacity_of(path, count, arguments)
    print(f"the plain way: {plain['wall_s']} s, {lost_plainly} of {count} notes lost")
    report(
        stage="generation",
        **ours,
        **versus(ours, plain),
        cpu_ratio=round(ours["cpu_s"] / plain["cpu_s"], 2),
        **growth,
        requests_per_s=round(count / ours["wall_s"], 1),
        capacity_per_s=round(capacity, 1),
        capacity_share=round(rate / capacity, 3),
        lost=lost,
        lost_plainly=lost_plainly,
        repeated=repeated,
        prompts_per_s=round(count / compose_s),
        offline_notes_per_s=round(count / offline_figures["wall_s"]),
        journal=journal_figures(arguments.answers, arguments.files),
    )


if __name__ == "__main__":
    main()
