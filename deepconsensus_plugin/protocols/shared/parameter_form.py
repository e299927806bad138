# SPDX-License-Identifier: GPL-3.0-or-later
"""Part of a form that shows the declared parameters of a dataclass of the core.

Lines, mapping and the sentences of ``_validate`` follow from `core.declared`. A form
adds what it alone knows: names that it had before, the order of its choices, and what
stands for None where a line must not be empty.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.declared import (
    ForbiddenValueError,
    Parameter,
    defaults_of,
    find_problems,
    parameters_of,
    type_of,
)

Made = TypeVar("Made")

Target = params.Form | params.Group | params.Line

_PARAMS = {
    bool: params.BooleanParam,
    int: params.IntParam,
    float: params.FloatParam,
    str: params.StringParam,
}


@dataclass(frozen=True)
class Shown:
    """How a form shows a parameter, where this does not follow from its declaration.

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
    condition : str, optional
        When the line is shown, where parameters of the form alone decide it.
    options : mapping, optional
        Further arguments of the line.
    """

    name: str | None = None
    choices: Mapping[Any, str] | None = None
    none: Any = None
    default: Any = None
    condition: str | None = None
    options: Mapping[str, Any] | None = None


_AS_DECLARED = Shown()


class ParameterForm(Generic[Made]):
    """Declared parameters of a dataclass, as a part of a form.

    Parameters
    ----------
    kind : type
        Dataclass of the core. Its parameters with a label are shown.
    first : sequence of str
        Fields in the order of the form. Those that are not named follow in the order
        of the dataclass.
    leave_out : sequence of str
        Fields that are not shown.
    shown : Shown
        By field, where something does not follow from the declaration.
    """

    def __init__(
        self,
        kind: type[Made],
        first: Iterable[str] = (),
        *,
        leave_out: Iterable[str] = (),
        **shown: Shown,
    ) -> None:
        self.kind = kind
        self._shown = shown
        self._declared = parameters_of(kind)
        self._defaults = defaults_of(kind)
        labelled = [name for name, each in self._declared.items() if each.label]
        hidden = set(leave_out)
        self.fields = [
            name for name in dict.fromkeys([*first, *labelled]) if name not in hidden
        ]

    def define(
        self,
        target: Target,
        *fields: str,
        before: Mapping[str, Callable[[Target], Any]] | None = None,
    ) -> None:
        """Add lines.

        Parameters
        ----------
        target : Form, Group or Line
            What they are added to.
        *fields : str
            Only these; none for all.
        before : mapping of str to callable, optional
            What else is added, and in front of which field.
        """
        for field in fields or self.fields:
            if before and field in before:
                before[field](target)
            target.addParam(
                self.name_of(field), self._kind_of(field), **self._line(field)
            )

    def name_of(self, field: str) -> str:
        """Return the name on the form of a field."""
        return self._of(field).name or re.sub("_(.)", lambda m: m[1].upper(), field)

    def label_of(self, field: str) -> str:
        """Return what the form calls a field, with its unit."""
        parameter = self._declared[field]
        unit = f" ({parameter.unit})" if parameter.unit else ""
        return parameter.label + unit

    def number_of(self, field: str, value: object) -> Any:
        """Return what the form holds where a field has a value."""
        shown = self._of(field)
        if (choices := self._choices(field)) is not None:
            return list(choices).index(value)
        return shown.none if value is None else value

    def value_of(self, field: str, protocol: Protocol) -> Any:
        """Return the value that was chosen for a field."""
        held = protocol.getAttributeValue(self.name_of(field))
        if (choices := self._choices(field)) is not None:
            return list(choices)[held]
        if isinstance(held, str):
            held = held.strip()
        none = self._of(field).none
        return None if none is not None and held == none else held

    def values(self, protocol: Protocol) -> dict[str, Any]:
        """Return all values that were chosen, by field."""
        return {field: self.value_of(field, protocol) for field in self.fields}

    def read(self, protocol: Protocol, **others: Any) -> Made:
        """Return the dataclass with what was chosen; `others` are its other fields."""
        return self.kind(**self.values(protocol), **others)

    def describe_bad(self, protocol: Protocol, **others: Any) -> list[str]:
        """Return what is wrong with what was chosen, a sentence each.

        Parameters
        ----------
        protocol : Protocol
            Of the form.
        **others
            Other fields of the dataclass. What contradicts each other is told where
            all that have no default are there.
        """
        values = {
            field: value
            for field, value in self.values(protocol).items()
            if value is not None or self._of(field).none is None
        }
        if problems := find_problems(self.kind, values):
            return [
                f"{self._declared[each.name].label}: it must be {each.expected}"
                f"{self._or_none(each.name)}, received {_as_typed(each.received)}."
                for each in problems
            ]
        if set(self._required()) - set(values) - set(others):
            return []
        try:
            self.kind(**values, **others)
        except ForbiddenValueError as error:
            return [f"{sentence}." for sentence in error.sentences]
        return []

    # -------------------------- a line --------------------------
    def _of(self, field: str) -> Shown:
        return self._shown.get(field, _AS_DECLARED)

    def _choices(self, field: str) -> Mapping[Any, str] | None:
        return self._of(field).choices

    def _kind_of(self, field: str) -> type[params.Param]:
        if self._choices(field) is not None:
            return params.EnumParam
        return _PARAMS[type_of(self.kind, field)]

    def _line(self, field: str) -> dict[str, Any]:
        """Return the arguments of a line."""
        parameter, shown = self._declared[field], self._of(field)
        default = self.number_of(field, self._default(field))
        line = {"default": default, "label": self.label_of(field)}
        if default is None:
            line["allowsNull"] = True
        if parameter.is_expert:
            line["expertLevel"] = params.LEVEL_ADVANCED
        if help_ := self._help(field):
            line["help"] = help_
        if condition := shown.condition or self._condition(parameter):
            line["condition"] = condition
        if shown.choices is not None:
            line["choices"] = list(shown.choices.values())
        return line | dict(shown.options or {})

    def _default(self, field: str) -> Any:
        given = self._of(field).default
        return self._defaults.get(field) if given is None else given

    def _help(self, field: str) -> str:
        parameter, shown = self._declared[field], self._of(field)
        text = parameter.help.format(**self._defaults)
        if not parameter.if_none or self._choices(field) is not None:
            return text
        word = "Empty" if shown.none in (None, "") else f"*{shown.none}*"
        meaning = parameter.if_none.format(**self._defaults)
        return f"{text}\n{word}: {meaning}." if text else f"{word}: {meaning}."

    def _condition(self, parameter: Parameter) -> str | None:
        if parameter.shown_if is None:
            return None
        field, value = parameter.shown_if
        return f"{self.name_of(field)} == {self.number_of(field, value)}"

    def _or_none(self, field: str) -> str:
        shown = self._of(field)
        if not self._declared[field].if_none:
            return ""
        return ", or empty" if shown.none in (None, "") else f", or {shown.none}"

    def _required(self) -> list[str]:
        """Return the fields of the dataclass that have no default."""
        every = self.kind.__dataclass_fields__
        return [name for name in every if name not in self._defaults]


def _as_typed(value: object) -> str:
    """Return a value as it stands on a form."""
    if value is None:
        return "nothing"
    return value.name.lower() if isinstance(value, enum.Enum) else str(value)
