"""Where the page's figures come from: settings, inputs, versions, revision of the code."""

import copy
import subprocess
from importlib import metadata
from pathlib import Path
from platform import python_version
from typing import Any
from urllib.parse import urlsplit

import yaml

from longtail_icd.report.numbers import count
from longtail_icd.report.tables import PageTable

_PACKAGES = ("torch", "transformers", "snakemake", "polars", "numpy", "scipy", "matplotlib")


def shown_settings(settings: dict[str, Any]) -> str:
    """Return the settings as YAML; of every path only its last part, so no machine is told."""
    shown = copy.deepcopy(settings)
    places = [
        (shown["corpus"], "path"),
        (shown["corpus"], "label_file"),
        (shown["corpus"]["split"], "ids"),
        *((shown["terminology"], key) for key in ("headings", "d_icd", "index", "umls")),
    ]
    if Path(str(shown["encoder"]["name"])).is_absolute():
        places.append((shown["encoder"], "name"))
    for block, key in places:
        if block[key] is not None:
            block[key] = Path(block[key]).name
    for writer in shown["writers"].values():
        if "base_url" in writer:
            writer["base_url"] = endpoint_name(writer["base_url"])
        if "base_urls" in writer:
            writer["base_urls"] = [endpoint_name(one) for one in writer["base_urls"]]
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)


def endpoint_name(endpoint: str | None) -> str:
    """Return where prompts went, without credentials or query.

    Before: ``http://me:secret@host:8000/v1?key=1``. After: ``http://host:8000/v1``; null, where
    nothing was sent, becomes ``nowhere``.
    """
    if endpoint is None:
        return "nowhere"
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def versions() -> dict[str, str]:
    """Return the versions of what runs here, read now."""
    found = {"python": python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not in this environment"
    return found


def git_revision(folder: str | Path) -> str:
    """Return the commit of a checkout, with ``-dirty`` where tracked files differ from it."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(
            [*command, "--abbrev=40"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return "unknown (git is not installed here)"
    return done.stdout.strip() or "unknown (not a git checkout)"


def input_table(files: dict[str, dict[str, Any]]) -> PageTable:
    """Names, sizes and checksums of the raw files that the corpus was made from.

    Args:
        files: key ``files`` of the corpus's manifest.
    """
    return PageTable(
        "The raw files of the corpus",
        ["input", "file", "bytes", "SHA-256"],
        [[name, one["name"], count(one["bytes"]), one["sha256"]] for name, one in files.items()],
    )
