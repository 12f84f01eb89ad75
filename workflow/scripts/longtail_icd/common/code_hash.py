"""A hash of a stage's code that only changes when the code does something else.

Snakemake watches a rule's script by its modification time and not what the script imports, so
every rule carries this hash in its params: editing a function reruns the stage, editing a
comment, a docstring or the clock reruns nothing.

Parsing every module takes a second or two, and Snakemake starts anew for each job: the digest of a
module is kept, by the checksum of its source, beside Python's own compiled modules.
"""

import ast
import hashlib
import json
import os
import sys
from functools import cache
from pathlib import Path

from longtail_icd.common.files import write_json


def _strip_docstrings(tree: ast.AST) -> None:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]


def _digest_syntax(source: bytes) -> str:
    """Return a digest of a module's syntax tree, docstrings aside."""
    tree = ast.parse(source)
    _strip_docstrings(tree)
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


def _read_kept(path: Path) -> dict[str, str]:
    """Return the kept digests by the checksum of the source; a damaged file is as good as none."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}


@cache
def _digest_modules(scripts: Path) -> dict[Path, str]:
    """Return the digest of each module below ``scripts``; new ones are parsed, and kept."""
    kept_path = scripts / "__pycache__" / f"syntax.{sys.implementation.cache_tag}.json"
    kept = _read_kept(kept_path)
    sources = {path: path.read_bytes() for path in scripts.rglob("*.py")}
    checksums = {path: hashlib.sha256(source).hexdigest() for path, source in sources.items()}
    digests = {
        checksum: kept.get(checksum) or _digest_syntax(sources[path])
        for path, checksum in checksums.items()
    }
    if digests.keys() != kept.keys() and os.access(scripts, os.W_OK):
        write_json(digests, kept_path)
    return {path: digests[checksum] for path, checksum in checksums.items()}


def hash_stage(scripts: Path, stage: str, script: str) -> str:
    """Hash what a rule runs: ``script``, the package folder of its ``stage``, and ``common``.

    Args:
        scripts: the folder workflow/scripts.
        stage: a package folder, for example ``plan``.
        script: the rule's script without its ending, for example ``allocate_notes``.

    Returns:
        16 hex digits over the syntax trees, comments and docstrings aside.
    """
    package = scripts / "longtail_icd"
    parts = (package / stage, package / "common")
    modules = {
        path.relative_to(scripts).as_posix(): digest
        for path, digest in _digest_modules(scripts).items()
        if path == scripts / f"{script}.py" or any(part in path.parents for part in parts)
    }
    return hashlib.sha256(json.dumps(modules, sort_keys=True).encode()).hexdigest()[:16]
