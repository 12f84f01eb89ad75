"""Where prompts may go: for now to this machine alone.

Prompts can hold credentialed text, so the gate is closed by default and checked twice: before a
client exists, and at every request, as a name may resolve differently by then.
"""

import ipaddress
import os
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from longtail_icd.common.errors import UserError

REMEDY = (
    "serve the model on this machine and set base_url to http://127.0.0.1:PORT/v1 (docs/recipes.md)"
)


@dataclass(frozen=True)
class Endpoint:
    """How to reach a server; nothing here changes what it answers."""

    base_url: str
    concurrency: int
    timeout_s: float
    api_key_env: str | None


def _is_loopback(address: str) -> bool:
    # A scope such as %eth0 may follow an IPv6 address.
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return (mapped or ip).is_loopback


def check_base_url(base_url: str) -> None:
    """Let a URL pass only if every address of its host is this machine's own.

    Raises:
        UserError: the URL is malformed or holds a password, the host does not resolve, or one of
            its addresses is not loopback. Nothing has been sent by then.
    """
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UserError(f"base_url is no valid URL; {REMEDY}") from None
    # The URL itself is not quoted in these two: it may hold a password or a key.
    if parts.username is not None or parts.password is not None:
        raise UserError(
            "base_url holds a user name or password; put a key into api_key_env's variable"
        )
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise UserError(f"base_url is not of the form http://HOST:PORT/v1; {REMEDY}")
    try:
        found = socket.getaddrinfo(host, port or parts.scheme, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise UserError(f"base_url {base_url}: host {host} does not resolve; {REMEDY}") from None
    if not all(_is_loopback(str(address[0])) for *_, address in found):
        raise UserError(
            f"base_url {base_url}: {host} is not this machine, and prompts may hold credentialed "
            f"text or what derives from it; {REMEDY}"
        )


def read_key(api_key_env: str | None) -> str:
    """Return the key from the environment; servers that need none get a placeholder.

    Raises:
        UserError: the variable is not set where the job runs.
    """
    if api_key_env is None:
        return "none"
    key = os.environ.get(api_key_env)
    if not key:
        raise UserError(
            f"environment variable {api_key_env} (api_key_env) is not set where the job runs; "
            f"export it before starting Snakemake"
        )
    return key
