# SPDX-License-Identifier: GPL-3.0-or-later
"""Part of a form that shows the declared parameters of a dataclass of the core.

Lines, mapping and the sentences of ``_validate`` follow from `core.declared`. A form
adds what it alone knows: names that it had before, the order of its choices, and what
stands for None where a line must not be empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.declared import (
    Parameter,
    Problem,
    find_conflicts,
    find_problems,
    parameters_of,
)
from deepconsensus_plugin.core.field_types import defaults_of, may_be_none, type_of
from deepconsensus_plugin.protocols.shared.choices import flagParam
from deepconsensus_plugin.protocols.shared.shown import OF_THE_DATACLASS, Shown

Made = TypeVar("Made")

Target = params.Form | params.Group | params.Line

_PARAMS = {
    bool: params.BooleanParam,
    int: params.IntParam,
    float: params.FloatParam,
    str: params.StringParam,
}

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
            if self._of(field).ends is not None:
                self._define_range(target, field)
            else:
                line = self._line(field)
                target.addParam(self.name_of(field), self._kind_of(field), **line)

    def name_of(self, field: str) -> str:
        """Return the name on the form of a field."""
        return self._of(field).name or re.sub("_(.)", lambda m: m[1].upper(), field)

    def label_of(self, field: str) -> str:
        """Return what the form calls a field, with its unit."""
        parameter = self._declared[field]
        return parameter.label + (f" ({parameter.unit})" if parameter.unit else "")

    def number_of(self, field: str, value: object) -> Any:
        """Return what the form holds where a field has a value."""
        shown = self._of(field)
        if shown.choices is not None:
            return list(shown.choices).index(value)
        if value is None:
            return shown.none
        return value if shown.held is None else shown.held(value)

    def value_of(self, field: str, protocol: Protocol) -> Any:
        """Return the value that was chosen for a field."""
        shown = self._of(field)
        held = self._held(field, protocol)
        if shown.choices is not None:
            return list(shown.choices)[held]
        if isinstance(held, str):
            held = held.strip()
        if held is None or (shown.none is not None and held == shown.none):
            return None
        return held if shown.meant is None else shown.meant(held)

    def values(self, protocol: Protocol) -> dict[str, Any]:
        """Return all values that were chosen, by field."""
        return {field: self.value_of(field, protocol) for field in self.fields}

    def read(self, protocol: Protocol, **others: Any) -> Made:
        """Return the dataclass with what was chosen; `others` take precedence."""
        return self.kind(**(self.values(protocol) | others))

    def describe_bad(self, protocol: Protocol) -> list[str]:
        """Return what is wrong with what was chosen, a sentence each."""
        values = self.values(protocol)
        told = {f: v for f, v in values.items() if not self._is_left_open(f, v)}
        problems = find_problems(self.kind, told)
        missing = {each.name for each in problems if each.received is None}
        given = {name: value for name, value in told.items() if name not in missing}
        return [
            *(self._sentence(each, protocol) for each in problems),
            *(f"{sentence}." for sentence in find_conflicts(self.kind, given)),
        ]

    def _is_left_open(self, field: str, value: object) -> bool:
        """Return whether the protocol, not the form, decides a value."""
        if value is not None or may_be_none(self.kind, field):
            return False
        return self._is_decided_elsewhere(field)

    def _is_decided_elsewhere(self, field: str) -> bool:
        """Return whether an empty line leaves a value to the protocol."""
        shown = self._of(field)
        return shown.none is not None or shown.default is None

    def _sentence(self, problem: Problem, protocol: Protocol) -> str:
        held = self._held(problem.name, protocol)
        expected = problem.expected + self._or_none(problem.name)
        received = "nothing" if held is None else held
        return f"{problem.label}: it must be {expected}, received {received}."

    def _or_none(self, field: str) -> str:
        if not self._may_be_empty(field) or field in self._required():
            return ""
        none = self._of(field).none
        return ", or empty" if none in (None, "") else f", or {none}"

    def _required(self) -> list[str]:
        """Return the fields of the dataclass that have no default."""
        every = self.kind.__dataclass_fields__
        return [name for name in every if name not in self._defaults]

    def _held(self, field: str, protocol: Protocol) -> Any:
        """Return what the form holds for a field."""
        if (ends := self._of(field).ends) is not None:
            return tuple(map(protocol.getAttributeValue, ends))
        return protocol.getAttributeValue(self.name_of(field))

    # -------------------------- a line --------------------------
    def _define_range(self, target: Target, field: str) -> None:
        """Add a line with the minimum and the maximum of a range."""
        shared = self._line(field)
        defaults, label = shared.pop("default"), shared.pop("label")
        line = target.addLine(label, **shared)
        names = zip(self._of(field).ends, ("min", "max"), defaults, strict=True)
        for name, word, default in names:
            line.addParam(name, params.FloatParam, default=default, label=word)

    def _of(self, field: str) -> Shown:
        return self._shown.get(field, _AS_DECLARED)

    def _kind_of(self, field: str) -> Callable[..., params.Param]:
        shown = self._of(field)
        if shown.choices is not None:
            isFlag = type_of(self.kind, field) is bool and len(shown.choices) == 2
            return flagParam if isFlag else params.EnumParam
        return shown.param or _PARAMS[type_of(self.kind, field)]

    def _may_be_empty(self, field: str) -> bool:
        """Return whether None can be chosen, by an empty line or what stands for it."""
        shown = self._of(field)
        if shown.choices is not None:
            return False
        if shown.none is not None or self._default(field) is None:
            return True
        # A default of the form stands for None already.
        has_own = shown.default is not OF_THE_DATACLASS
        return may_be_none(self.kind, field) and not has_own

    def _line(self, field: str) -> dict[str, Any]:
        """Return the arguments of a line."""
        parameter, shown = self._declared[field], self._of(field)
        default = self.number_of(field, self._default(field))
        line = {"default": default, "label": self.label_of(field)}
        if self._may_be_empty(field) and shown.none is None:
            line["allowsNull"] = True
        if parameter.is_expert:
            line["expertLevel"] = params.LEVEL_ADVANCED
        if help_ := self._help(field):
            line["help"] = help_
        if condition := shown.condition or self._condition(parameter):
            line["condition"] = condition
        if shown.choices is not None:
            line["choices"] = shown.listed()
        return line | dict(shown.options or {})

    def _default(self, field: str) -> Any:
        given = self._of(field).default
        return self._defaults.get(field) if given is OF_THE_DATACLASS else given

    def _help(self, field: str) -> str:
        parameter, shown = self._declared[field], self._of(field)
        text = parameter.help.format(**self._defaults)
        told = shown.explain_none(parameter) if self._may_be_empty(field) else ""
        default = shown.explain_default(parameter, self._default(field))
        return "\n".join(filter(None, [text, told.format(**self._defaults), default]))

    def _condition(self, parameter: Parameter) -> str | None:
        if parameter.shown_if is None:
            return None
        field, value = parameter.shown_if
        return f"{self.name_of(field)} == {self.number_of(field, value)}"
