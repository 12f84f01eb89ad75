"""The configuration against its schema, with messages that say what would be right."""

import difflib
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from longtail_icd.common.errors import UserError


def _name(path: Any) -> str:
    return ".".join(str(part) for part in path) or "(top level)"


def _kind_key(branches: list[dict[str, Any]]) -> str:
    """Return the key that tells the branches of a oneOf apart: each holds a constant of its own."""
    return next(key for key, schema in branches[0]["properties"].items() if "const" in schema)


def _explain_choice(error: Any) -> str:
    """Explain a oneOf by the branch that the block asks for. Before: ``{method: uniform, cap: 5}``.

    After: ``unknown key cap; uniform has the keys method, notes``.
    """
    where, branches = _name(error.absolute_path), error.schema["oneOf"]
    key = _kind_key(branches)
    kinds = [branch["properties"][key]["const"] for branch in branches]
    if not isinstance(error.instance, dict) or key not in error.instance:
        return f"{where}: missing key {key}: one of {', '.join(kinds)}"
    kind = error.instance[key]
    if kind not in kinds:
        return f"{where}.{key}: {kind!r} is not one of {', '.join(kinds)}"
    mistake = next(one for one in error.context if one.schema_path[0] == kinds.index(kind))
    message = _explain(mistake)
    if mistake.validator in ("additionalProperties", "required") and not mistake.relative_path:
        keys = ", ".join(sorted(branches[kinds.index(kind)]["properties"]))
        message = f"{message.partition('; ')[0]}; {kind} has the keys {keys}"
    return message


def _explain(error: Any) -> str:
    where = _name(error.absolute_path)
    if error.validator == "oneOf":
        return _explain_choice(error)
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = sorted(set(error.instance) - set(known))
        hints = difflib.get_close_matches(unknown[0], known, n=1)
        hint = f"did you mean {hints[0]}?" if hints else f"known keys: {', '.join(known)}"
        return f"{where}: unknown key {unknown[0]}; {hint}"
    if error.validator == "required":
        missing = sorted(set(error.schema["required"]) - set(error.instance))
        return f"{where}: missing key {missing[0]}"
    return f"{where}: {error.message}"


def check_schema(config: dict[str, Any], schema_path: Path) -> None:
    schema = yaml.load(schema_path.read_bytes(), Loader=yaml.CSafeLoader)
    errors = sorted(
        Draft202012Validator(schema).iter_errors(config), key=lambda error: _name(error.path)
    )
    if errors:
        raise UserError("configuration: " + "\n  ".join(_explain(error) for error in errors))
