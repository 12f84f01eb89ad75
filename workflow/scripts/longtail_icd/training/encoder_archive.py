"""Downloading an encoder that is published as an archive, checked against a checksum."""

import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path

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


def _unpack(archive: Path, folder: Path, url: str) -> Path:
    """Unpack ``archive`` into ``folder`` and return the one folder in it that holds an encoder.

    Raises:
        UserError: no whole tar archive, a name that leads outside, or not exactly one encoder.
    """
    try:
        with tarfile.open(archive) as members:
            members.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, OSError, zlib.error):
        raise UserError(f"{url}: no whole tar archive, or an unsafe one; {REMEDY}") from None
    found = [path.parent for path in folder.rglob("config.json")]
    if len(found) != 1:
        raise UserError(
            f"{url}: {len(found)} folders of the archive hold a config.json; one was expected: an "
            f"encoder in the format of transformers; {REMEDY}"
        )
    return found[0]


def fetch_encoder(url: str | None, sha256: str | None, folder: str | Path) -> None:
    """Download an archive and unpack the encoder in it to ``folder``, or leave no trace.

    Args:
        url: a tar archive, compressed or not, with one folder in the format of transformers.
        sha256: the archive's checksum.
        folder: where to.

    Raises:
        UserError: no address, unreachable, broken off, another checksum, or no encoder in it.
    """
    if url is None:
        raise UserError("encoder.archive.url: no address is set")
    with tempfile.TemporaryDirectory() as temporary:
        archive = Path(temporary) / "archive"
        _check(url, download(url, archive, "sha256", REMEDY)[1], sha256)
        encoder = _unpack(archive, Path(temporary) / "unpacked", url)
        with atomic_folder(folder) as target:
            shutil.copytree(encoder, target, dirs_exist_ok=True)
