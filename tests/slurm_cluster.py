"""Runs of the workflow on a real Slurm, for tests; tests/cluster/start_slurm.sh starts one."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SNAKEMAKE = Path(sys.executable).parent / "snakemake"
# Looks at jobs sooner than a real cluster would like.
QUICK = ("--slurm-init-seconds-before-status-checks", "5", "--latency-wait", "5")
FIELDS = (
    *("JobID", "Comment", "State", "Start", "End"),
    *("Partition", "ReqCPUS", "ReqMem", "TimelimitRaw", "ReqTRES"),
)


def call(*command: str) -> str:
    """Run a command that must succeed, such as a client of Slurm's; return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


def _answers() -> bool:
    if shutil.which("scontrol") is None:
        return False
    return subprocess.run(["scontrol", "ping"], capture_output=True, check=False).returncode == 0


def needs_slurm() -> list[pytest.MarkDecorator]:
    """Return the marks of tests that need a Slurm."""
    reason = "no Slurm: tests/cluster/start_slurm.sh start"
    return [pytest.mark.slurm, pytest.mark.skipif(not _answers(), reason=reason)]


class SlurmRun:
    """`snakemake --profile slurm` under way in a folder; what it prints goes to slurm_run.log."""

    def __init__(self, folder: Path, *arguments: str):
        self._log = folder / "slurm_run.log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [SNAKEMAKE, "--profile", "slurm", *QUICK, *arguments],
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        """What has been printed up to now."""
        return self._log.read_text()

    @property
    def name(self) -> str:
        """The name that all jobs of this run have in Slurm."""
        self.wait_until(lambda: "SLURM run ID: " in self.output)
        return re.search(r"SLURM run ID: (\S+)", self.output)[1]

    def wait_until(self, happened: Callable[[], object], seconds: float = 300) -> None:
        """Wait until something has happened while the run goes on."""
        end = time.monotonic() + seconds
        while not happened():
            assert self.process.poll() is None, f"ended before it happened:\n{self.output[-6000:]}"
            assert time.monotonic() < end, f"did not happen in time:\n{self.output[-6000:]}"
            time.sleep(0.2)

    def job_of(self, rule: str, state: str) -> str:
        """Wait for a job of a rule that is in a state of squeue, and return its number."""
        wanted: list[str] = []
        command = ("squeue", "--noheader", "--name", self.name, "--states", state)

        def appeared() -> bool:
            jobs = (line.split() for line in call(*command, "--format=%A %k").splitlines())
            wanted.extend(number for number, comment in jobs if comment.startswith(f"rule_{rule}"))
            return bool(wanted)

        self.wait_until(appeared)
        return wanted[0]

    def end(self) -> str:
        """Wait for a good end and return what was printed."""
        status = self.process.wait()
        assert status == 0, self.output[-6000:]
        return self.output

    def jobs(self) -> list[dict[str, str]]:
        """Return what accounting says of the run's jobs, in the order of their numbers."""
        command = ("sacct", "--allocations", "--noheader", "--parsable2", "--name", self.name)
        lines = call(*command, f"--format={','.join(FIELDS)}").splitlines()
        rows = (dict(zip(FIELDS, line.split("|"), strict=True)) for line in lines)
        return sorted(rows, key=lambda row: int(row["JobID"]))

    def states(self, rule: str) -> list[str]:
        """Return how each attempt of a rule's only job ended, the first first."""
        jobs = (job for job in self.jobs() if job["Comment"].startswith(f"rule_{rule}"))
        return [job["State"].split()[0] for job in jobs]


@contextmanager
def on_slurm(folder: Path, *arguments: str) -> Iterator[SlurmRun]:
    """Yield a run under way; whatever the test does, none of it is left behind."""
    run = SlurmRun(folder, *arguments)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
        found = re.search(r"SLURM run ID: (\S+)", run.output)
        if found:
            call("scancel", "--name", found[1])
