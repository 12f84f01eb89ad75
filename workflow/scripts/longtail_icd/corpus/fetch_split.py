"""Downloading a published split: the id files of one repository, checked against checksums."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from longtail_icd.common.download import download
from longtail_icd.common.errors import UserError
from longtail_icd.common.files import atomic_folder

REMEDY = (
    "try again, or get the files elsewhere and name their folder (or the one table) in "
    "corpus.split.ids"
)


def read_addresses(path: str | Path, name: str | None) -> dict[str, str]:
    """Return the address of each file of the published split ``name``.

    Args:
        path: resources/published_splits.yaml.
        name: a key of that file.

    Raises:
        UserError: no such split.
    """
    published = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    if name not in published:
        raise UserError(
            f"corpus.split.download.split: {name or 'no name is set'}; published splits: "
            f"{', '.join(sorted(published))}"
        )
    base = published[name]["base_url"]
    return {file: f"{base}/{file}" for file in published[name]["files"]}


def _check(found: Mapping[str, str], expected: Mapping[str, str | None]) -> None:
    """Compare checksums; without an expected one, tell what came, for the user to judge.

    Raises:
        UserError: a file is not what the configuration says, or the configuration says nothing.
    """
    for file, digest in found.items():
        if expected.get(file) not in {None, digest}:
            raise UserError(
                f"{file}: SHA-256 {digest}, but corpus.split.download.sha256 says "
                f"{expected[file]}; nothing was kept; {REMEDY}"
            )
    unknown = [file for file in found if expected.get(file) is None]
    if unknown:
        came = ", ".join(f"{file}: {found[file]}" for file in unknown)
        raise UserError(
            "corpus.split.download.sha256: no checksum is configured, so nothing was kept. What "
            f"came has these SHA-256: {{{came}}}; compare them with a copy that you trust, then "
            "write them there"
        )


def fetch_split(
    folder: str | Path, addresses: Mapping[str, str], settings: Mapping[str, Any]
) -> None:
    """Download a published split's id files to ``folder``, all of them or none.

    Args:
        folder: takes the files.
        addresses: where each file is, by its name.
        settings: the block ``corpus.split.download``; ``sha256`` holds each file's checksum.

    Raises:
        UserError: unreachable, broken off, or a file whose checksum differs or is not known.
    """
    with atomic_folder(folder) as temporary:
        found = {
            file: download(address, temporary / file, "sha256", REMEDY)[1]
            for file, address in addresses.items()
        }
        _check(found, settings["sha256"])
