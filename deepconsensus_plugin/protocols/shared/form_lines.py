# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a form that follow from the declared parameters of a dataclass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import pyworkflow.protocol.params as params

from deepconsensus_plugin.core.declared import parameters_of
from deepconsensus_plugin.core.field_types import defaults_of, may_be_none, type_of
from deepconsensus_plugin.core.published import Published, published_of
from deepconsensus_plugin.protocols.shared.as_published import shownUnlessPublished
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


class FormLines(Generic[Made]):
    """Lines of a form for the declared parameters of a dataclass.

    Parameters
    ----------
    kind : type
        Dataclass of the core. Its parameters with a label are shown.
    first : sequence of str
        Fields in the order of the form. Those that are not named follow in the order
        of the dataclass.
    leave_out : sequence of str
        Fields that are not shown.
    published : mapping of str to Published, optional
        Values that the switch *as published* of the form sets, by field; their lines
        are then hidden.
    used_if : str, optional
        Condition under which the lines mean anything. Elsewhere a line is hidden while
        it holds its default; another value stays in sight, see
        `ParameterForm.describe_unused`.
    shown : Shown
        By field, where something does not follow from the declaration.
    """

    def __init__(
        self,
        kind: type[Made],
        first: Iterable[str] = (),
        *,
        leave_out: Iterable[str] = (),
        published: Mapping[str, Published] | None = None,
        used_if: str | None = None,
        **shown: Shown,
    ) -> None:
        self.kind = kind
        self.published = published or {}
        self._used_if = used_if
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
                target.addParam(
                    self.name_of(field), self._kind_of(field), **self._line(field)
                )

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

    def usual_number(self, field: str) -> Any:
        """Return what the form holds for a field before anything is chosen."""
        return self.number_of(field, self._default(field))

    def describe_published(self) -> list[str]:
        """Return the lines that the switch *as published* hides, with their values."""
        return [
            f"{self.label_of(field)}: {self._words(field, each)}"
            for field, each in self.published.items()
            if field in self.fields
        ]

    def _words(self, field: str, published: Published) -> str:
        """Return a published value as the form shows it."""
        choices = self._of(field).choices
        return str(published) if choices is None else choices[published.value]

    def published_numbers(self) -> dict[str, Any]:
        """Return what the form holds for the published values of its lines, by name."""
        return {
            self.name_of(field): self.number_of(field, each.value)
            for field, each in published_of(self.kind).items()
            if field in self.fields
        }

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
        line = {"default": self.usual_number(field), "label": self.label_of(field)}
        if self._may_be_empty(field) and shown.none is None:
            line["allowsNull"] = True
        if parameter.is_expert:
            line["expertLevel"] = params.LEVEL_ADVANCED
        if help_ := self._help(field):
            line["help"] = help_
        if condition := self._condition(field):
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

    def _condition(self, field: str) -> str | None:
        """Return when a line is shown; None for always."""
        condition = self._of(field).condition or self._declared_condition(field)
        if field in self.published:
            condition = shownUnlessPublished(condition)
        if self._used_if is None:
            return condition
        default = self.usual_number(field)
        return f"({self._used_if}) or {self.name_of(field)} != {default!r}"

    def _declared_condition(self, field: str) -> str | None:
        """Return the condition that a declaration makes of another field's value."""
        if (shown_if := self._declared[field].shown_if) is None:
            return None
        other, value = shown_if
        return f"{self.name_of(other)} == {self.number_of(other, value)}"
