# SPDX-License-Identifier: GPL-3.0-or-later
"""Part of a form that shows the declared parameters of a dataclass of the core.

Lines, mapping and the sentences of ``_validate`` follow from `core.declared`. A form
adds what it alone knows: names that it had before, the order of its choices, and what
stands for None where a line must not be empty.
"""

from __future__ import annotations

from typing import Any

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.declared import Problem, find_conflicts, find_problems
from deepconsensus_plugin.core.field_types import may_be_none
from deepconsensus_plugin.protocols.shared.as_published import isAsPublished
from deepconsensus_plugin.protocols.shared.form_lines import FormLines, Made
from deepconsensus_plugin.protocols.shared.shown import Shown

__all__ = ["ParameterForm", "Shown"]


class ParameterForm(FormLines[Made]):
    """Declared parameters of a dataclass, as a part of a form; see `FormLines`."""

    def value_of(self, field: str, protocol: Protocol) -> Any:
        """Return the value that was chosen for a field."""
        if field in self.published and isAsPublished(protocol):
            return self.published[field].value
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
        fields = [*self.fields, *(self.published if isAsPublished(protocol) else ())]
        return {field: self.value_of(field, protocol) for field in fields}

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

    def describe_unused(self, protocol: Protocol, *fields: str, why: str) -> list[str]:
        """Return a sentence for each line with a value that nothing uses.

        Parameters
        ----------
        protocol : Protocol
            Protocol with the form.
        *fields : str
            Fields that nothing uses; none for all.
        why : str
            Reason, as a part of a sentence.
        """
        return [
            f"{self.label_of(field)}: {why}; {self._as_usual(field)}."
            for field in fields or self.fields
            if self._is_changed(field, protocol)
        ]

    def _is_changed(self, field: str, protocol: Protocol) -> bool:
        """Return whether a line holds another value than its default."""
        held, usual = self._held(field, protocol), self.usual_number(field)
        return held != usual and not (held in (None, "") and usual in (None, ""))

    def _as_usual(self, field: str) -> str:
        """Return how to give a line its default again."""
        usual, choices = self.usual_number(field), self._of(field).choices
        if choices is not None:
            usual = list(choices.values())[usual]
        return "leave it empty" if usual in (None, "") else f"leave it at {usual}"

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
