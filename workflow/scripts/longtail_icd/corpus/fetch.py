"""Downloading CodiEsp from Zenodo: checked against the record's checksum, whole or not at all."""

import json
import shutil
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from longtail_icd.common.download import blocks_of, download, open_url
from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_folder

ZENODO = "https://zenodo.org"
RECORD = "3837305"  # 10.5281/zenodo.3837305, CodiEsp v4
ARCHIVE = "codiesp.zip"
MARKER = PurePosixPath("train") / "trainD.tsv"  # tells which folder of the archive is the corpus
REMEDY = (
    "try again, or download the archive in a browser (DOI 10.5281/zenodo.3837305) and set "
    "corpus.path to the folder that holds train, dev and test"
)


def read_checksum(base_url: str) -> tuple[int, str, str]:
    """Ask the record for the archive's size in bytes, its hash function and its hash.

    The record is asked over the same TLS connection as the archive: the checksum tells a damaged
    download from a whole one, and vouches for the content no more than the site itself does.

    Raises:
        UserError: no answer, or one without the archive and its checksum.
    """
    url = f"{base_url}/api/records/{RECORD}"
    with open_url(url, REMEDY) as response:
        content = b"".join(blocks_of(response, url, REMEDY))
    try:
        files = {one["key"]: one for one in json.loads(content)["files"]}
        algorithm, digest = files[ARCHIVE]["checksum"].split(":")
        size = int(files[ARCHIVE]["size"])
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{url}: names no {ARCHIVE} with size and checksum; {REMEDY}") from None
    if algorithm not in {"md5", "sha256", "sha512"}:
        raise UserError(f"{url}: checksum of an unknown kind, {algorithm}; {REMEDY}")
    return size, algorithm, digest.lower()


def download_archive(base_url: str, path: Path) -> None:
    """Download the archive to ``path`` and compare it with the record's checksum.

    Raises:
        UserError: unreachable, broken off, or not the bytes that the record describes.
    """
    size, algorithm, expected = read_checksum(base_url)
    url = f"{base_url}/records/{RECORD}/files/{ARCHIVE}?download=1"
    received, digest = download(url, path, algorithm, REMEDY)
    if received != size or digest != expected:
        raise UserError(
            f"{url}: {received} of {size} bytes came, {algorithm} {digest}, but the record says "
            f"{expected}; {REMEDY}"
        )


def _members(archive: zipfile.ZipFile, path: Path) -> dict[str, PurePosixPath]:
    """Return the archive's names beside where each goes, relative to the corpus's folder.

    Raises:
        UserError: the archive holds no corpus, or a name that leads out of the folder.
    """
    names = {one.filename: PurePosixPath(one.filename) for one in archive.infolist()}
    for place in names.values():
        if place.is_absolute() or ".." in place.parts or "\\" in str(place):
            raise UserError(
                f"{path}: a file name in the archive leads outside it; nothing unpacked"
            )
    tables = [place for place in names.values() if place.parts[-2:] == MARKER.parts]
    roots = sorted(place.parents[1] for place in tables)
    if not roots:
        raise UserError(f"{path}: no {MARKER} in the archive: not CodiEsp; {REMEDY}")
    return {
        name: place.relative_to(roots[0])
        for name, place in names.items()
        if place.is_relative_to(roots[0]) and not name.endswith("/")
    }


def extract(path: Path, folder: Path) -> None:
    """Unpack the corpus of the archive ``path`` into ``folder``, without folders around it.

    Raises:
        UserError: not a whole zip archive, no corpus in it, or a name that leads outside.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for name, place in _members(archive, path).items():
                target = folder / place
                target.parent.mkdir(parents=True, exist_ok=True)
                # Contents only: a symbolic link in the archive becomes a plain file.
                with archive.open(name) as source, target.open("wb") as stream:
                    shutil.copyfileobj(source, stream)
    except zipfile.BadZipFile:
        raise UserError(f"{path}: damaged archive; {REMEDY}") from None


def fetch_codiesp(folder: str | Path, base_url: str = ZENODO) -> None:
    """Download CodiEsp and unpack it to ``folder`` in the official layout, or leave no trace.

    Args:
        folder: takes ``train``, ``dev``, ``test`` and ``background``.
        base_url: of Zenodo; tests put a server of their own here.

    Raises:
        UserError: see :func:`download_archive` and :func:`extract`.
    """
    with tempfile.TemporaryDirectory() as temporary:
        archive = Path(temporary) / ARCHIVE
        download_archive(base_url, archive)
        with atomic_folder(folder) as unpacked:
            extract(archive, unpacked)
