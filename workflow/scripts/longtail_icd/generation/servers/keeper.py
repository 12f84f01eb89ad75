"""Runs a command and stops it, and all that it started, when standard input closes.

Run as a script of its own: ``python keeper.py GRACE_S COMMAND …``. Whoever starts it holds the
other end of its input; when that process dies, even by SIGKILL, the system closes it. Needs nothing
but the standard library.
"""

import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress

_LOOK_EVERY_S = 0.2


def _signal_group(group: int, number: int) -> bool:
    """Send a signal (0: none) to all processes of a group; return whether there are any."""
    with suppress(ProcessLookupError):
        os.killpg(group, number)
        return True
    return False


def stop(process: subprocess.Popen, grace_s: float) -> None:
    """End a process and its group: by SIGTERM, and after ``grace_s`` seconds by SIGKILL."""
    deadline = time.monotonic() + grace_s
    _signal_group(process.pid, signal.SIGTERM)
    # poll() takes note of the leader's end: a zombie would count as one of the group.
    while process.poll() is None or _signal_group(process.pid, 0):
        if time.monotonic() > deadline:
            _signal_group(process.pid, signal.SIGKILL)
            break
        time.sleep(_LOOK_EVERY_S / 4)
    process.wait()


def keep(command: list[str], grace_s: float) -> int:
    """Run a command until it ends or standard input closes; return its exit status."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        while process.poll() is None:
            readable, _, _ = select.select([sys.stdin], [], [], _LOOK_EVERY_S)
            if readable and not sys.stdin.buffer.read1():
                break
    finally:
        stop(process, grace_s)
    return process.returncode


def _end(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(one, _end)
    sys.exit(keep(sys.argv[2:], float(sys.argv[1])))
