"""Servers that live as long as the job: started on free loopback ports, asked, always stopped.

Made for ``vllm serve``; any command will do that serves Chat Completions and ``/health``. Each
server runs under a keeper (keeper.py), which ends it when this process lets go of it or dies.
"""

import asyncio
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from longtail_icd.common.errors import UserError
from longtail_icd.generation.runner.run_state import RunState
from longtail_icd.generation.servers import keeper
from longtail_icd.generation.servers.hub import check_pinned, pinned_name

_HOST = "127.0.0.1"
_LOOK_EVERY_S = 0.5
_STOP_S = 20.0


@dataclass(frozen=True)
class ServerSettings:
    """What is to be started.

    Args:
        command: arguments in which {model}, {revision} and {port} are replaced.
        model: a folder or a hub id.
        revision: the commit, of a hub id.
        replicas: how many servers, each on GPUs of its own.
        gpus_per_replica: GPUs of each.
        start_s: longest wait for all of them to be healthy.
        stop_s: from SIGTERM to SIGKILL, for one that does not end.
    """

    command: list[str]
    model: str
    revision: str | None
    replicas: int
    gpus_per_replica: int
    start_s: float
    stop_s: float

    @property
    def served_name(self) -> str:
        """What requests call the model: with its revision, so that the journal tells them apart."""
        return pinned_name(self.model, self.revision)

    def arguments(self, port: int) -> list[str]:
        """Return the command that serves the model on a port."""
        values = {"model": self.model, "revision": self.revision or "", "port": str(port)}
        values["name"] = self.served_name
        return [_filled(argument, values) for argument in self.command]


def _filled(argument: str, values: dict[str, str]) -> str:
    """Return an argument with its placeholders replaced; other braces, as of JSON, stay."""
    for name, value in values.items():
        argument = argument.replace(f"{{{name}}}", value)
    return argument


def default_command(revision: str | None) -> list[str]:
    """Return the command that serves with vLLM."""
    pinned = [] if revision is None else ["--revision", "{revision}"]
    named = ["--served-model-name", "{name}"]
    return ["vllm", "serve", "{model}", *pinned, *named, "--host", _HOST, "--port", "{port}"]


def read_server(settings: dict[str, Any]) -> ServerSettings:
    """Return what one block of ``writers:`` with ``backend: vllm`` starts.

    Raises:
        UserError: a model of a hub without a revision.
    """
    model, revision = settings["model"], settings["revision"]
    check_pinned(model, revision)
    command = settings.get("command") or default_command(revision)
    return ServerSettings(
        command=[*command, *settings.get("options", [])],
        model=model,
        revision=revision,
        replicas=settings["replicas"],
        gpus_per_replica=settings["gpus_per_replica"],
        start_s=settings["start_s"],
        stop_s=settings.get("stop_s", _STOP_S),
    )


def free_port() -> int:
    """Return a loopback port on which nothing listens."""
    with socket.socket() as one:
        one.bind((_HOST, 0))
        return one.getsockname()[1]


def devices_of(replica: int, settings: ServerSettings, visible: str | None) -> str:
    """Return the value of CUDA_VISIBLE_DEVICES for one server.

    Before: replica 1 of 2 with 2 GPUs each, visible ``4,5,6,7``. After: ``6,7``. Nothing visible
    stands for GPUs from 0 on.

    Raises:
        UserError: the job has fewer GPUs than the servers need.
    """
    needed = settings.replicas * settings.gpus_per_replica
    devices = list(map(str, range(needed))) if visible is None else visible.split(",")
    if len(devices) < needed:
        raise UserError(
            f"replicas: {settings.replicas} servers with gpus_per_replica: "
            f"{settings.gpus_per_replica} need {needed} GPUs, and the job has {len(devices)}"
        )
    start = replica * settings.gpus_per_replica
    return ",".join(devices[start : start + settings.gpus_per_replica])


class RunningServer:
    """A server under its keeper, from start to stop.

    Args:
        arguments: its command.
        port: where it will listen.
        devices: GPUs it may use, as in CUDA_VISIBLE_DEVICES; None: the job's.
        log: file for all that it prints.
        stop_s: see :class:`ServerSettings`.

    Raises:
        UserError: there is no such command.
    """

    def __init__(
        self, arguments: list[str], port: int, devices: str | None, log: Path, stop_s: float
    ):
        self.port = port
        self.log = log
        self._command = arguments[0]
        environment = dict(os.environ)
        if devices is not None:
            environment["CUDA_VISIBLE_DEVICES"] = devices
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as stream:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", keeper.__file__, str(stop_s), *arguments],
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    @property
    def base_url(self) -> str:
        """Where its interface is."""
        return f"http://{_HOST}:{self.port}/v1"

    def check_alive(self) -> None:
        """Refuse to go on without it.

        Raises:
            UserError: it has ended; names its log.
        """
        status = self._keeper.poll()
        if status is not None:
            raise UserError(f"{self._command}: ended with exit status {status}; see {self.log}")

    def healthy(self) -> bool:
        """Return whether it says so.

        Raises:
            UserError: it has ended.
        """
        self.check_alive()
        connection = http.client.HTTPConnection(_HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def let_go(self) -> None:
        """Have it stopped."""
        self._keeper.stdin.close()

    def wait_stopped(self) -> None:
        """Wait until it and all that it started have ended."""
        self._keeper.wait()


async def _wait_healthy(servers: list[RunningServer], start_s: float) -> None:
    """Wait until all servers are healthy.

    Raises:
        UserError: one has ended, or is not healthy in time.
    """
    deadline = time.monotonic() + start_s
    for server in servers:
        while not server.healthy():
            if time.monotonic() > deadline:
                raise UserError(
                    f"start_s: a server is not healthy after {start_s:g} s; see {server.log}, or "
                    "raise start_s"
                )
            await asyncio.sleep(_LOOK_EVERY_S)


async def fail_with(servers: list[RunningServer], state: RunState) -> None:
    """End the run when a server ends; without this it would be waited for."""
    while state.failure is None:
        try:
            for server in servers:
                server.check_alive()
        except UserError as error:
            state.fail(error)
        await asyncio.sleep(_LOOK_EVERY_S)


@asynccontextmanager
async def running_servers(
    settings: ServerSettings, log: Path
) -> AsyncIterator[list[RunningServer]]:
    """Start servers and yield them once all are healthy; stop them in any case.

    Args:
        settings: what is to be started.
        log: of the job; each server's log stands beside it.

    Raises:
        UserError: a server does not start; names its log.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if shutil.which(settings.command[0]) is None:
        raise UserError(
            f"command: there is no program {settings.command[0]} where the job runs; install it "
            "there (docs/writers.md)"
        )
    servers: list[RunningServer] = []
    try:
        for replica in range(settings.replicas):
            port = free_port()
            devices = devices_of(replica, settings, visible) if settings.gpus_per_replica else None
            place = log.with_suffix(f".server{replica}.log")
            arguments = settings.arguments(port)
            servers.append(RunningServer(arguments, port, devices, place, settings.stop_s))
        await _wait_healthy(servers, settings.start_s)
        print(f"servers: {', '.join(server.base_url for server in servers)}")
        yield servers
    finally:
        # All are told before any is waited for.
        for server in servers:
            server.let_go()
        for server in servers:
            server.wait_stopped()
