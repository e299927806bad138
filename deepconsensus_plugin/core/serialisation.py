# SPDX-License-Identifier: GPL-3.0-or-later
"""Serialisation of dataclasses as JSON: requests, results and model cards."""

from __future__ import annotations

import copy
import functools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.io.json_text import read_json_object
from deepconsensus_plugin.core.limits import expected_of, show

T = TypeVar("T")
Place = tuple[int | str, ...]
"""Names of fields and numbers of items that lead to a value."""

SCHEMA = 1
"""Version of the JSON files written here."""

# JSON has no NaN; a figure that is not defined is null.
_writer: TypeAdapter[Any] = TypeAdapter(Any, config=ConfigDict(ser_json_inf_nan="null"))


def to_plain(value: object) -> Any:
    """Return `value`, a dataclass, as what JSON can hold."""
    return _writer.dump_python(value, mode="json", fallback=_plain_scalar)


def _plain_scalar(value: Any) -> Any:
    """Return a number of NumPy as one of Python."""
    return value.item()


def from_plain(value: Any, kind: type[T], *, path: Path) -> T:
    """Return the dataclass `kind` that `value` holds.

    Raises
    ------
    FileFormatError
        If a field is missing, unknown, of the wrong type or out of its range; names
        `path` and the field.
    """
    found: T
    undefined: list[Place] = []
    while True:
        try:
            found = _read(_with_nan(value, undefined), kind)
        except ValidationError as error:
            if more := _find_undefined(error):
                undefined += more
                continue
            raise _refusal(error, kind, path, undefined) from error
        _unify_nan(found, undefined)
        return found


def _refusal(
    error: ValidationError, kind: type, path: Path, undefined: list[Place]
) -> FileFormatError:
    """Return what tells all that is wrong in a file."""
    problems = [
        _describe(each, kind, is_null=each["loc"] in undefined)
        for each in error.errors(include_url=False)
    ]
    expected, received = problems[0]
    others = "".join(f"; expected {e}, received {r}" for e, r in problems[1:])
    return FileFormatError(path, expected=expected, received=received + others)


def _read(value: Any, kind: Any) -> Any:
    # As JSON: a list there may be a tuple here, a word a path or a member of an enum.
    return _reader(kind).validate_json(json.dumps(value), strict=True, extra="forbid")


@functools.cache
def _reader(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _find_undefined(error: ValidationError) -> list[Place]:
    """Return where a number is expected and the file has null."""
    return [
        each["loc"]
        for each in error.errors(include_url=False)
        if each["type"] == "float_type" and each["input"] is None
    ]


def _with_nan(value: Any, places: Iterable[Place]) -> Any:
    """Return a copy of `value` with NaN in some places."""
    value = copy.deepcopy(value)
    for *way, last in places:
        functools.reduce(lambda part, key: part[key], way, value)[last] = math.nan
    return value


def _unify_nan(found: Any, places: Iterable[Place]) -> None:
    """Put the one NaN of `math` in places, so that what was read equals its like."""
    for *way, last in places:
        part = functools.reduce(_part, way, found)
        if is_dataclass(part):
            object.__setattr__(part, str(last), math.nan)
        elif not isinstance(part, tuple):
            part[last] = math.nan


def _part(whole: Any, key: int | str) -> Any:
    return getattr(whole, str(key)) if is_dataclass(whole) else whole[key]


def _describe(
    details: Mapping[str, Any], kind: type, *, is_null: bool
) -> tuple[str, str]:
    """Return what was expected and what received, of one of pydantic's errors."""
    field = ".".join(map(str, details["loc"]))
    received = "null" if is_null else show(details["input"])
    if details["type"] == "missing":
        return f"{field}, a field of {kind.__name__}", "none"
    if details["type"] == "unexpected_keyword_argument":
        return f"no field {field} of {kind.__name__}", received
    if details["type"] == "value_error":
        return f"{field or kind.__name__} that can be", str(details["ctx"]["error"])
    return f"{field or kind.__name__} to be {expected_of(details)}", received


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
        If the file is no JSON object or of another schema.
    """
    content = read_json_object(path)
    schema = content.pop("schema", None)
    if schema != SCHEMA:
        raise FileFormatError(
            path, expected=f"schema {SCHEMA}", received=f"schema {show(schema)}"
        )
    return content


def read_json_part(path: Path, key: str) -> Any:
    """Return one value of a file that `write_json` wrote.

    Raises
    ------
    FileFormatError
        As `read_json`, and if the file has no such key.
    """
    content = read_json(path)
    if key not in content:
        raise FileFormatError(path, expected=f"the key {key}", received="none")
    return content[key]
