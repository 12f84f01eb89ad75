"""A stand-in for the OpenAI Batch API on loopback; answers are those of stand_in_server.py.

    with StandInBatches() as provider:
        ...  # ask provider.base_url; look at provider.batches, provider.files

What becomes of a batch is decided by a function of its number and the custom ids in it:
it returns the status in which the batch ends, and how many of its lines are answered by then.
Lines beyond these come back as errors of the status that ``failing`` names (None: as
``batch_expired``, without a response).
"""

import json
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from stand_in_server import completion, stand_in_text


def batch_writer(**changes: Any) -> dict[str, Any]:
    """Return the configuration of a writer of batch files."""
    return {
        "backend": "batch",
        "mode": "files",
        "model": "stand-in",
        "max_tokens": 100,
        "max_tokens_key": "max_tokens",
        "temperature": 1.0,
        "top_p": 1.0,
        "max_lines": 5,
        "max_mb": 10,
        **changes,
    }


def all_answered(number: int, lines: int) -> tuple[str, int]:
    return "completed", lines


class StandInBatches:
    """Serves in threads of its own.

    files: what is stored, by id. batches: all that were made, by id.
    asked: how often each custom id was in a batch. looks: how often a batch is looked at before it
    ends. failures: HTTP statuses that the next requests get instead of an answer.
    """

    def __init__(self, decide=all_answered, *, looks: int = 1, failing: int | None = None):
        self.decide = decide
        self.looks = looks
        self.failing = failing
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.asked: Counter[str] = Counter()
        self.failures: list[int] = []
        self.paths: list[str] = []
        self._looked: Counter[str] = Counter()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def _serve(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                provider.paths.append(f"{self.command} {self.path}")
                if provider.failures:
                    status, answer = provider.failures.pop(0), b"{}"
                else:
                    status, answer = provider.serve(self.command, self.path, body)
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_DELETE = _serve

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def writer(self, **changes: Any) -> dict[str, Any]:
        """Return the configuration of a writer that asks this provider."""
        asked = {"base_url": self.base_url, "poll_s": 0.05, "timeout_s": 5.0, "api_key_env": None}
        return batch_writer(mode="openai", **asked | changes)

    def __enter__(self) -> "StandInBatches":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _store(self, content: bytes) -> str:
        name = f"file-{len(self.paths)}-{len(self.files)}"
        self.files[name] = content
        return name

    def serve(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer to one request."""
        route = f"{method} {path.partition('?')[0].removeprefix('/v1')}"
        if route == "POST /files":
            lines = re.findall(rb'^\{"custom_id".*\}$', body.replace(b"\r", b""), re.M)
            name = self._store(b"\n".join(lines))
            return 200, json.dumps({"id": name, "object": "file"}).encode()
        if route == "POST /batches":
            return 200, json.dumps(self._make(json.loads(body))).encode()
        if route == "GET /batches":
            made = list(self.batches.values())[::-1]
            return 200, json.dumps({"object": "list", "data": made, "has_more": False}).encode()
        kind, name = route.split("/")[1:3]
        if kind == "batches":
            return 200, json.dumps(self._looked_at(self.batches[name])).encode()
        content = self.files[name]
        if method == "DELETE":
            del self.files[name]
            content = json.dumps({"id": name, "deleted": True, "object": "file"}).encode()
        return 200, content

    def _make(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = f"batch-{len(self.batches)}"
        lines = [json.loads(line) for line in self.files[asked["input_file_id"]].splitlines()]
        self.asked.update(line["custom_id"] for line in lines)
        made = {"id": name, "object": "batch", "created_at": 0, "status": "in_progress"}
        self.batches[name] = made | asked
        return self.batches[name]

    def _looked_at(self, batch: dict[str, Any]) -> dict[str, Any]:
        self._looked[batch["id"]] += 1
        if self._looked[batch["id"]] == self.looks:
            self._end(batch)
        return batch

    def _end(self, batch: dict[str, Any]) -> None:
        lines = [json.loads(line) for line in self.files[batch["input_file_id"]].splitlines()]
        batch["status"], answered = self.decide(int(batch["id"].split("-")[1]), len(lines))
        good, bad = lines[:answered], lines[answered:]
        if good:
            batch["output_file_id"] = self._store(b"".join(map(answered_line, good)))
        if bad and batch["status"] != "failed":
            errors = b"".join(failed_line(line, self.failing) for line in bad)
            batch["error_file_id"] = self._store(errors)


def answered_line(line: dict[str, Any]) -> bytes:
    """Return the line that answers a line of requests."""
    body = completion(line["body"], stand_in_text(line["body"]), "stop")
    response = {"status_code": 200, "request_id": "r", "body": body}
    answer = {"id": "a", "custom_id": line["custom_id"], "response": response, "error": None}
    return json.dumps(answer).encode() + b"\n"


def failed_line(line: dict[str, Any], status: int | None) -> bytes:
    """Return the line that says that a line of requests was not answered; it quotes the prompt."""
    words = {"code": "batch_expired", "message": json.dumps(line["body"])}
    response = status and {"status_code": status, "request_id": "r", "body": {"error": words}}
    answer = {"id": "a", "custom_id": line["custom_id"], "response": response, "error": words}
    return json.dumps(answer).encode() + b"\n"
