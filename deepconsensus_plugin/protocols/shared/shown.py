# SPDX-License-Identifier: GPL-3.0-or-later
"""Appearance of a parameter on a form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyworkflow.protocol.params as params

from deepconsensus_plugin.core.declared import Parameter
from deepconsensus_plugin.protocols.shared.choices import Choices

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
        so they are never put in another order. Of a field that is true or false, false
        is the first.
    first : sequence, optional
        Values that a list shows first. The others follow in the order of `choices`.
    former : mapping of str to int, optional
        Other words for numbers of choices, such as those of earlier versions.
    none : object, optional
        What stands for None where the line must not be empty, such as 0.
    default : object, optional
        Of the form. Default: the dataclass'.
    param, held, meant : type, callable and callable, optional
        Kind of the line, what it holds for a value, and the value that it means; where
        they are of another type than the field.
    ends : tuple of str, optional
        Names of the two ends of a range, which are shown in one line.
    auto : str, optional
        How a value is found where None was chosen. Default: as declared.
    condition : str, optional
        When the line is shown, where parameters of the form alone decide it.
    options : mapping, optional
        Further arguments of the line.
    """

    name: str | None = None
    choices: Mapping[Any, str] | None = None
    first: Sequence[Any] = ()
    former: Mapping[str, int] | None = None
    none: Any = None
    default: Any = OF_THE_DATACLASS
    param: type[params.Param] | None = None
    held: Callable[[Any], Any] | None = None
    meant: Callable[[Any], Any] | None = None
    ends: tuple[str, str] | None = None
    auto: str | None = None
    condition: str | None = None
    options: Mapping[str, Any] | None = None

    def listed(self) -> Choices:
        """Return the choices as the form lists them."""
        values = list(self.choices or {})
        order = dict.fromkeys([*map(values.index, self.first), *range(len(values))])
        return Choices((self.choices or {}).values(), order, self.former)

    def explain_none(self, parameter: Parameter) -> str:
        """Return what the form says on a line that stands for None; may be empty."""
        word = "empty" if self.none in (None, "") else f"*{self.none}*"
        if auto := self.auto or parameter.auto:
            return f"Auto ({word}): {auto}."
        meaning = parameter.if_none
        return f"{word.capitalize()}: {meaning}." if meaning else ""

    def explain_default(self, parameter: Parameter, value: Any) -> str:
        """Return the default of the form in a sentence; empty where None stands."""
        if self.choices is not None:
            return f"Default: {self.choices[value]}."
        if value in (None, "", self.none):
            return ""
        held = value if self.held is None else self.held(value)
        ends = [_show(each) for each in (held if self.ends else [held])]
        return f"Default: {' '.join([' to '.join(ends), parameter.unit]).strip()}."


def _show(value: Any) -> str:
    """Return a default as the form shows it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return f"{value:g}" if isinstance(value, int | float) else str(value)
