"""Downloads that end in the whole file or in one clear error."""

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from longtail_icd.common.errors import UserError
from longtail_icd.common.progress import progress

BLOCK = 1 << 20
TIMEOUT_S = 60


def open_url(url: str, remedy: str) -> Any:
    """Open ``url`` for reading.

    Raises:
        UserError: it cannot be reached; ends with ``remedy``.
    """
    try:
        return urllib.request.urlopen(url, timeout=TIMEOUT_S)
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise UserError(f"{url}: cannot be reached ({reason}); {remedy}") from None


def blocks_of(response: Any, url: str, remedy: str) -> Iterator[bytes]:
    """Yield what an open address sends, a MiB at a time.

    Raises:
        UserError: the connection broke; ends with ``remedy``.
    """
    try:
        while block := response.read(BLOCK):
            yield block
    except (OSError, http.client.HTTPException) as error:
        raise UserError(f"{url}: the download broke off ({error}); {remedy}") from None


def download(url: str, path: Path, algorithm: str, remedy: str) -> tuple[int, str]:
    """Download ``url`` to ``path``; return the bytes that came and their hash, in hex.

    Raises:
        UserError: unreachable, or broken off; ends with ``remedy``.
    """
    digest, received = hashlib.new(algorithm), 0
    with open_url(url, remedy) as response, path.open("wb") as stream:
        announced = response.headers.get("Content-Length")
        total = -(-int(announced or 0) // BLOCK)
        for block in progress(blocks_of(response, url, remedy), total, f"{path.name}, MiB"):
            stream.write(block)
            digest.update(block)
            received += len(block)
    if announced is not None and received != int(announced):
        raise UserError(f"{url}: {received} of {announced} bytes came; {remedy}")
    return received, digest.hexdigest()
