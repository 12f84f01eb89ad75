"""Benchmark of the generation stage: notes per second, lost and repeated, with failing servers.

Asks a stand-in server on loopback (no language model) that answers after a fixed time and fails a
share of the requests with 429, 500 or a cut connection. `capacity_share` is our rate over the
most that so many requests in flight can have. `lost` counts requests without an answer, `repeated`
those that the server answered more than once. The yardstick is the plain way: the same client
with its own retries, a semaphore and gather, and nothing stored on the way. Prompts and the
offline writer are timed beside it.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from measure import measured, report, versus

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests")]


def make_prompts(count):
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
    texts = dict.fromkeys(sets["request_id"], "An example in many words. " * 230)
    template = load_template(ROOT / "resources" / "prompts" / "paper.j2")
    prompt = {"template": "paper", "seed": 1}
    return compose_prompts(sets, facts, template, prompt, Material(exemplars=texts))


def compose(count, path):
    start = time.perf_counter()
    make_prompts(count).write_parquet(path)
    return time.perf_counter() - start


def read_prompts(path):
    # In the measured child alone: polars' threads do not survive a fork of the parent.
    import polars as pl  # noqa: PLC0415

    return pl.read_parquet(path)


def write_offline(path):
    from longtail_icd.generation.offline.prose import load_prose  # noqa: PLC0415
    from longtail_icd.generation.offline_writer import OfflineWriter  # noqa: PLC0415
    from longtail_icd.generation.requests import requests_of  # noqa: PLC0415
    from longtail_icd.generation.writer import responses_table  # noqa: PLC0415

    writer = OfflineWriter(load_prose(ROOT / "resources" / "offline_prose.yaml"))
    requests = list(requests_of(path))
    start = time.perf_counter()
    responses_table(writer.write(requests))
    return time.perf_counter() - start


def ask_ours(path, base_url, concurrency, folder):
    from longtail_icd.generation.endpoint import Endpoint  # noqa: PLC0415
    from longtail_icd.generation.journal import Journal  # noqa: PLC0415
    from longtail_icd.generation.openai_writer import OpenAIWriter, Sampling  # noqa: PLC0415
    from longtail_icd.generation.patience import Patience  # noqa: PLC0415
    from longtail_icd.generation.requests import requests_of  # noqa: PLC0415
    from longtail_icd.generation.writer import NO_ANSWER  # noqa: PLC0415

    writer = OpenAIWriter(
        Sampling("stand-in", 512, "max_tokens", 1.0, 1.0),
        Endpoint(base_url, concurrency, 60.0, None),
        Journal(folder),
        Patience(first_wait_s=0.5, longest_wait_s=8.0),
    )
    answers = list(writer.write(list(requests_of(path))))
    return sum(answer.finish_reason in NO_ANSWER for answer in answers)


def ask_plainly(path, base_url, concurrency, folder):
    import json  # noqa: PLC0415

    import openai  # noqa: PLC0415

    async def everything():
        semaphore = asyncio.Semaphore(concurrency)
        client = openai.AsyncOpenAI(api_key="none", base_url=base_url, timeout=60.0)

        async def one(chats, seed):
            async with semaphore:
                answer = await client.chat.completions.create(
                    model="stand-in", messages=json.loads(chats)[0], max_tokens=512, seed=seed
                )
                return answer.choices[0].message.content

        rows = read_prompts(path).select("chats", "seed").iter_rows()
        answers = await asyncio.gather(*(one(*row) for row in rows), return_exceptions=True)
        await client.close()
        return answers

    answers = asyncio.run(everything())
    (folder / "answers.json").write_text(json.dumps([str(answer) for answer in answers]))
    return sum(isinstance(answer, Exception) for answer in answers)


def ask(writer, path, arguments):
    """Return what a writer lost, its figures and how often the server repeated an answer."""
    from stand_in_server import StandInServer, faulty  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        # A process of its own, so that the server's work is not counted as the writer's.
        with StandInServer(faulty(arguments.faults), latency_s=arguments.latency) as server:
            lost, figures = measured(
                lambda: writer(path, server.base_url, arguments.concurrency, Path(folder))
            )
        repeated = sum(count - 1 for count in server.answered.values())
    return lost, figures, repeated


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notes", type=int, default=600)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds per answer")
    parser.add_argument("--faults", type=float, default=0.1, help="share of failing requests")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prompts.parquet"
        compose_s, _ = measured(lambda: compose(arguments.notes, path))
        offline_s, _ = measured(lambda: write_offline(path))
        lost, ours, repeated = ask(ask_ours, path, arguments)
        lost_plainly, plain, _ = ask(ask_plainly, path, arguments)
    print(f"the plain way: {plain['wall_s']} s, {lost_plainly} of {arguments.notes} notes lost")
    rate = arguments.notes / ours["wall_s"]
    report(
        stage="generation",
        **ours,
        **versus(ours, plain),
        requests_per_s=round(rate, 1),
        capacity_share=round(rate * arguments.latency / arguments.concurrency, 3),
        lost=lost,
        lost_plainly=lost_plainly,
        repeated=repeated,
        prompts_per_s=round(arguments.notes / compose_s),
        offline_notes_per_s=round(arguments.notes / offline_s),
    )


if __name__ == "__main__":
    main()
