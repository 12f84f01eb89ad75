"""The gate against a listener behind an address that is not loopback.

Run as a script in a network namespace of its own, where 203.0.113.7 is an address of this machine
and nothing else can be reached; prints what was refused and all bytes that the listener got.
"""

import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
from datetime import date, timedelta
from pathlib import Path

import openai
import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"
ADDRESS = "203.0.113.7"
MARKER = "Mrs Quillfeather and the ruptured zeppelin"
TODAY = date.today()
ATTESTATION = {
    "zero_retention": True,
    "no_training": True,
    "no_human_review": True,
    "agreement_ref": "contract 12",
    "by": "A. Author",
    "date": str(TODAY),
    "expires": str(TODAY + timedelta(days=1)),
}


class Listener:
    """Takes connections on every address and keeps what it is sent; never answers."""

    def __init__(self):
        self.received: list[bytes] = []
        self.socket = socket.create_server(("0.0.0.0", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.socket.accept()
            connection.settimeout(0.5)
            try:
                self.received.append(connection.recv(65536))
            except TimeoutError:
                self.received.append(b"")
            connection.close()


def attempt(max_class, attestation, scheme, data_class, *, checked):
    """Return the error of one request, and what the listener received meanwhile.

    checked: with the check before the request; without it the connection's own must do.
    """
    from longtail_icd.generation.endpoints.attestation import read_attestation  # noqa: PLC0415
    from longtail_icd.generation.endpoints.endpoint import Endpoint  # noqa: PLC0415
    from longtail_icd.generation.endpoints.gate import check_endpoint  # noqa: PLC0415
    from longtail_icd.generation.endpoints.transport import http_client  # noqa: PLC0415

    listener = Listener()
    base_url = f"{scheme}://{ADDRESS}:{listener.port}/v1"
    one = Endpoint((base_url,), 1, 3.0, None, max_class, read_attestation(attestation))

    async def ask():
        if checked:
            check_endpoint(one, data_class, TODAY)
        client = openai.AsyncOpenAI(
            api_key="k", base_url=base_url, max_retries=0, timeout=3.0, http_client=http_client(one)
        )
        messages = [{"role": "user", "content": MARKER}]
        await client.chat.completions.create(model="m", messages=messages)

    error = None
    try:
        asyncio.run(ask())
    except Exception as caught:
        error = type(caught).__name__
    time.sleep(0.2)
    return error, [part.hex() for part in listener.received]


def run_all():
    """Return every attempt by name, and that a plain connection does get through."""
    expired = {**ATTESTATION, "date": "2020-01-01", "expires": "2020-12-31"}
    attempts = {
        "checked": attempt("text", None, "https", "text", checked=True),
        "unchecked": attempt("text", None, "https", "text", checked=False),
        "unchecked http": attempt("text", None, "http", "text", checked=False),
        "public http": attempt("public", None, "http", "public", checked=False),
        "above max_class": attempt("public", None, "https", "aggregate", checked=True),
        "expired": attempt("text", expired, "https", "text", checked=False),
        "attested http": attempt("text", ATTESTATION, "http", "text", checked=False),
        "attested": attempt("text", ATTESTATION, "https", "text", checked=True),
    }
    listener = Listener()
    with socket.create_connection((ADDRESS, listener.port)) as plain:
        plain.sendall(MARKER.encode())
        time.sleep(0.2)
    attempts["plain"] = (None, [part.hex() for part in listener.received])
    return attempts


@pytest.fixture(scope="module")
def attempts():
    up = f"ip link set lo up && ip address add {ADDRESS}/32 dev lo"
    namespace = ["unshare", "--user", "--map-root-user", "--net", "sh", "-c"]
    try:
        subprocess.run([*namespace, up], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this machine makes no network namespaces (unshare, ip)")
    done = subprocess.run(
        [*namespace, f'{up} && exec "$0" "$1"', sys.executable, __file__],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(SCRIPTS)},
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "name",
    ["checked", "unchecked", "unchecked http", "public http", "above max_class", "expired",
     "attested http"],
)  # fmt: skip
def test_a_refused_request_sends_no_byte_and_opens_no_connection(attempts, name):
    assert attempts[name] == ["UserError", []]


def test_the_listener_does_receive_what_is_let_through(attempts):
    """Without this, the tests above would hold of a listener that cannot be reached."""
    assert attempts["plain"] == [None, [MARKER.encode().hex()]]
    # An attested endpoint is spoken to, in TLS only: the listener has no certificate to show.
    error, (hello,) = attempts["attested"]
    assert error == "APIConnectionError" and bytes.fromhex(hello)[:2] == b"\x16\x03"
    assert MARKER.encode() not in bytes.fromhex(hello)


if __name__ == "__main__":
    print(json.dumps(run_all()))
