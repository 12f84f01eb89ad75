"""`transformers serve` on loopback with a tiny model, for tests: a real server, no stand-in."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from longtail_icd.generation.servers.vllm_server import free_port
from tiny_model import make_speaking_model

COMMAND = [str(Path(sys.executable).parent / "transformers"), "serve"]
OPTIONS = ["--device", "cpu", "--dtype", "float32"]


def offline_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a server that looks for nothing outside this machine."""
    # Without the folder, asking for the list of models is an error 500.
    (folder / "hub").mkdir(parents=True, exist_ok=True)
    quiet = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    return {"HF_HOME": str(folder), "HF_HUB_OFFLINE": "1", **quiet}


@contextmanager
def transformers_serve(folder: Path) -> Iterator[tuple[str, str]]:
    """Serve a speaking model; yield base URL and model. What it prints goes to serve.log."""
    model, port = str(make_speaking_model(folder / "speaking")), free_port()
    with (folder / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            [*COMMAND, model, *OPTIONS, "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, **offline_environment(folder / "home")},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_healthy(f"http://127.0.0.1:{port}/health", server)
        yield f"http://127.0.0.1:{port}/v1", model
    finally:
        server.terminate()
        server.wait(timeout=60)


def wait_healthy(url: str, server: subprocess.Popen) -> None:
    """Wait up to two minutes for a server to be healthy."""
    for _ in range(600):
        assert server.poll() is None, "the server has ended"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the server is not healthy")
