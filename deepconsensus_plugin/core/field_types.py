# SPDX-License-Identifier: GPL-3.0-or-later
"""Types and defaults of dataclass fields, and values brought to them."""

from __future__ import annotations

import functools
import types
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import numpy as np


def defaults_of(kind: type) -> dict[str, Any]:
    """Return the defaults of a dataclass by field, of those that have one."""
    declared: Any = kind
    made = {
        each.name: each.default_factory()
        for each in fields(declared)
        if each.default_factory is not MISSING
    }
    plain = {e.name: e.default for e in fields(declared) if e.default is not MISSING}
    return plain | made


def type_of(kind: type, name: str) -> Any:
    """Return the type of a field without None and without limits."""
    hint = next(each for each in _alternatives(kind, name) if each is not type(None))
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def may_be_none(kind: type, name: str) -> bool:
    """Return whether None is a value of a field."""
    return type(None) in _alternatives(kind, name)


def _alternatives(kind: Any, name: str) -> tuple[Any, ...]:
    hint = hints_of(kind)[name]
    is_union = get_origin(hint) in (Union, types.UnionType)
    return get_args(hint) if is_union else (hint,)


def as_declared(kind: type, name: str, value: Any) -> Any:
    """Return a value of a field, of the declared type where its own is like it.

    A number of NumPy becomes one of Python, text a path, a list a tuple; anything else
    stays as it is.
    """
    hint = type_of(kind, name)
    if hint is Path and isinstance(value, str):
        return Path(value)
    if get_origin(hint) is tuple and isinstance(value, list | tuple):
        return tuple(map(_plain_scalar, value))
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    is_scalar = isinstance(value, np.bool_ | np.integer | np.floating)
    return value.item() if is_scalar else value


@functools.cache
def hints_of(kind: Any) -> dict[str, Any]:
    """Return the type hints of a dataclass by field, limits included."""
    hints = get_type_hints(kind, include_extras=True)
    return {each.name: hints[each.name] for each in fields(kind)}
