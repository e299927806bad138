# SPDX-License-Identifier: GPL-3.0-or-later
"""Appearance of a parameter on a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyworkflow.protocol.params as params

OF_THE_DATACLASS = object()
"""Stands for the dataclass' own default."""


@dataclass(frozen=True)
class Shown:
    """Appearance of a parameter on a form, where its declaration does not tell it.

    Parameters
    ----------
    name : str, optional
        On the form and in projects. Default: the field's, in camel case.
    choices : mapping of object to str, optional
        Values and what the form calls them. A value's place is its number in projects,
        so they are never put in another order.
    none : object, optional
        What stands for None where the line must not be empty, such as 0.
    default : object, optional
        Of the form. Default: the dataclass'.
    param, held, meant : type, callable and callable, optional
        Kind of the line, what it holds for a value, and the value that it means; where
        they are of another type than the field.
    ends : tuple of str, optional
        Names of the two ends of a range, which are shown in one line.
    if_none : str, optional
        What None stands for. Default: as declared.
    condition : str, optional
        When the line is shown, where parameters of the form alone decide it.
    options : mapping, optional
        Further arguments of the line.
    """

    name: str | None = None
    choices: Mapping[Any, str] | None = None
    none: Any = None
    default: Any = OF_THE_DATACLASS
    param: type[params.Param] | None = None
    held: Callable[[Any], Any] | None = None
    meant: Callable[[Any], Any] | None = None
    ends: tuple[str, str] | None = None
    if_none: str | None = None
    condition: str | None = None
    options: Mapping[str, Any] | None = None
