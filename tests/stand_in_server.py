"""A stand-in for a server with a Chat Completions interface, for tests and benchmarks.

It is no language model: an answer is a few sentences with a hash of the request in them, so that
the same request gets the same answer. What it does to a request is decided by a function:

    with StandInServer(lambda number, body: "429" if number == 0 else "ok") as server:
        ...  # ask server.base_url; look at server.requests

Behaviours: ok, 429 (with Retry-After), busy (a 429 without), 4xx and 5xx, cut, slow, truncated
(the note), half (the body, and the connection is cut), empty, refusal, garbage
(broken JSON), page (HTML with status 200), hollow (JSON without choices), redirect, quoting (a 400
whose message quotes the prompt). Run as a script it serves until it is stopped.
"""

import argparse
import asyncio
import hashlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

Decide = Callable[[int, dict[str, Any]], str]


def always_ok(number: int, body: dict[str, Any]) -> str:
    return "ok"


def faulty(share: float, seed: int = 1, kinds: Sequence[str] = ("429", "500", "cut")) -> Decide:
    """Return a behaviour that fails a share of the requests, in one of the ways by chance."""
    generator = random.Random(seed)

    def decide(number: int, body: dict[str, Any]) -> str:
        return generator.choice(kinds) if generator.random() < share else "ok"

    return decide


def fingerprint(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:12]


def stand_in_text(body: dict[str, Any], size: int = 320) -> str:
    """Return a note of about ``size`` characters."""
    start = f"Service: Medicine. Stand-in note {fingerprint(body)}. "
    return start + "The patient did well. " * max(1, (size - len(start)) // 22)


def completion(body: dict[str, Any], text: str | None, reason: str) -> dict[str, Any]:
    return {
        "id": "stand-in",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model", ""),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": reason,
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150},
    }


class StandInServer:
    """Serves on a free loopback port in a thread of its own.

    requests: every request in the order of arrival, as (headers, body).
    answered: how often each body, by fingerprint, was given a good answer.
    peak: most requests in work at the same time.
    """

    def __init__(
        self,
        decide: Decide = always_ok,
        *,
        latency_s: float = 0.0,
        retry_after: str = "0",
        port: int = 0,
        answer_bytes: int = 320,
    ):
        self.decide = decide
        self.latency_s = latency_s
        self.retry_after = retry_after
        self.port = port
        self.answer_bytes = answer_bytes
        self.requests: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.times: list[float] = []
        self.answered: Counter[str] = Counter()
        self.connections = 0
        self.peak = 0
        self._in_work = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def writer(self, **changes: Any) -> dict[str, Any]:
        """Return the configuration of a writer that asks this server."""
        return {
            "backend": "openai",
            "base_url": self.base_url,
            "model": "stand-in",
            "max_tokens": 100,
            "max_tokens_key": "max_tokens",
            "temperature": 1.0,
            "top_p": 1.0,
            "concurrency": 4,
            "timeout_s": 5.0,
            "api_key_env": None,
            **changes,
        }

    def __enter__(self) -> "StandInServer":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", self.port)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._serve_one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or b"{}")
        number = len(self.requests)
        self.requests.append(({"target": head[0], **headers}, body))
        self.times.append(time.monotonic())
        behaviour = self.decide(number, body)
        self._in_work += 1
        self.peak = max(self.peak, self._in_work)
        try:
            await asyncio.sleep(5 if behaviour == "slow" else self.latency_s)
        finally:
            self._in_work -= 1
        if behaviour == "cut":
            return False
        if head[0].startswith("GET"):
            behaviour = "hollow"
        status, extra, content = self._reply(behaviour, body)
        lines = [f"HTTP/1.1 {status} stand-in", f"content-length: {len(content)}", *extra]
        if behaviour == "half":
            content = content[: len(content) // 2]
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        await writer.drain()
        if behaviour == "half":
            return False
        if behaviour in ("ok", "truncated", "empty", "refusal"):
            self.answered[fingerprint(body)] += 1
        return True

    def _reply(self, behaviour: str, body: dict[str, Any]) -> tuple[int, list[str], bytes]:
        as_json = ["content-type: application/json"]
        text = stand_in_text(body, self.answer_bytes)
        answers = {
            "ok": completion(body, text, "stop"),
            "slow": completion(body, text, "stop"),
            "half": completion(body, text, "stop"),
            "truncated": completion(body, text, "length"),
            "empty": completion(body, None, "stop"),
            "refusal": completion(body, "I'm sorry, but I can't help with that.", "stop"),
            "hollow": {"object": "chat.completion", "choices": []},
        }
        if behaviour in answers:
            return 200, as_json, json.dumps(answers[behaviour]).encode()
        if behaviour == "garbage":
            return 200, as_json, b'{"choices": [{"mess'
        if behaviour == "page":
            return 200, ["content-type: text/html"], b"<html>Welcome</html>"
        if behaviour == "redirect":
            return 307, ["location: http://127.0.0.1:1/v1/chat/completions"], b""
        if behaviour == "quoting":
            error = {"error": {"message": f"bad prompt: {json.dumps(body.get('messages'))}"}}
            return 400, as_json, json.dumps(error).encode()
        extra = [*as_json, f"retry-after: {self.retry_after}"] if behaviour == "429" else as_json
        status = 429 if behaviour == "busy" else int(behaviour)
        return status, extra, b'{"error": {"message": "stand-in failure"}}'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--faults", type=float, default=0.0, help="share of failing requests")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds per answer")
    arguments = parser.parse_args()
    behaviour = faulty(arguments.faults)
    with StandInServer(behaviour, latency_s=arguments.latency, port=arguments.port) as server:
        print(f"stand-in, no language model: {server.base_url}")
        threading.Event().wait()


if __name__ == "__main__":
    main()
