"""Lists of words that screening reads from resources/screening."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml

from longtail_icd.common.errors import UserError

T = TypeVar("T")


def load_lists(path: str | Path, make: Callable[[Any], T]) -> T:
    """Return what ``make`` makes of the lists in a YAML file.

    Raises:
        UserError: the file is missing, or a list that ``make`` asks for is.
    """
    try:
        return make(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UserError(f"{path}: no such list of words") from None
    except KeyError as error:
        raise UserError(f"{path}: list {error.args[0]} is missing") from None
