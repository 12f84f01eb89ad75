"""A hash of a stage's code that only changes when the code does something else.

Snakemake watches a rule's script by its modification time and not what the script imports, so
every rule carries this hash in its params: editing a function reruns the stage, editing a
comment, a docstring or the clock reruns nothing.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path


def _strip_docstrings(tree: ast.AST) -> None:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]


@cache
def _syntax(source: str) -> str:
    """Return a module's syntax tree as text, docstrings aside; rules share most modules."""
    tree = ast.parse(source)
    _strip_docstrings(tree)
    return ast.dump(tree)


def hash_sources(paths: Iterable[Path]) -> str:
    """Return 16 hex digits over the syntax trees of ``paths``, comments and docstrings aside."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        syntax = _syntax(path.read_text(encoding="utf-8"))
        digest.update(f"{path.parent.name}/{path.name}\n{syntax}\n".encode())
    return digest.hexdigest()[:16]


def hash_stage(scripts: Path, stage: str, script: str) -> str:
    """Hash what a rule runs: ``script``, the package folder of its ``stage``, and ``common``.

    Args:
        scripts: the folder workflow/scripts.
        stage: a package folder, for example ``plan``.
        script: the rule's script without its ending, for example ``allocate_notes``.
    """
    package = scripts / "longtail_icd"
    return hash_sources(
        [
            scripts / f"{script}.py",
            *(package / stage).rglob("*.py"),
            *(package / "common").rglob("*.py"),
        ]
    )
