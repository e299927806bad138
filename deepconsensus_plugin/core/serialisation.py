# SPDX-License-Identifier: GPL-3.0-or-later
"""Serialisation of dataclasses as JSON: requests, results and model cards."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, TypeVar

from cattrs import BaseValidationError, transform_error
from cattrs.preconf.json import make_converter

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import write_text

T = TypeVar("T")

SCHEMA = 1
"""Version of the JSON files written here."""

_converter = make_converter(forbid_extra_keys=True)
_converter.register_unstructure_hook(Path, str)
_converter.register_structure_hook(Path, lambda value, _: Path(value))
# JSON has no NaN; a figure that is not defined is null.
_converter.register_unstructure_hook(float, lambda x: x if math.isfinite(x) else None)
_converter.register_structure_hook(
    float, lambda value, _: math.nan if value is None else float(value)
)


def to_plain(value: object) -> Any:
    """Return `value`, a dataclass, as what JSON can hold."""
    return _converter.unstructure(value)


def from_plain(value: Any, kind: type[T], *, path: Path) -> T:
    """Return the dataclass `kind` that `value` holds.

    Raises
    ------
    FileFormatError
        If a field is missing, unknown or of the wrong type; names `path`.
    """
    try:
        return _converter.structure(value, kind)
    except BaseValidationError as error:
        received = "; ".join(transform_error(error, path="it"))
        raise FileFormatError(
            path, expected=f"the fields of {kind.__name__}", received=received
        ) from error


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write `content` with the schema version, in one piece or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"schema": SCHEMA, **content}, indent=1, allow_nan=False)
    write_text(path, text + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Return what `write_json` wrote, without the schema version.

    Raises
    ------
    FileFormatError
        If the file is not JSON or of another schema.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise FileFormatError(path, expected="JSON", received=str(error)) from error
    schema = content.pop("schema", None) if isinstance(content, dict) else None
    if schema != SCHEMA:
        raise FileFormatError(
            path, expected=f"schema {SCHEMA}", received=f"schema {schema}"
        )
    return dict(content)
