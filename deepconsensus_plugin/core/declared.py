# SPDX-License-Identifier: GPL-3.0-or-later
"""Declaration of parameters: meaning, unit and range of each, said once.

A frozen dataclass that derives from `Declared` declares its parameters as fields::

    n_models: int = field(
        default=3,
        metadata=declare("Number of networks", "The score is their mean.", ge=1),
    )

It refuses what a declaration forbids, whether it is made in Python, read from a file or
filled in on a form. Forms are made from it (`protocols.shared.parameter_form`), so that
neither a label nor a default nor a limit is written a second time. pydantic checks.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, get_args, get_origin

from pydantic import Field, TypeAdapter, ValidationError

from deepconsensus_plugin.core.field_types import (
    as_declared,
    defaults_of,
    hints_of,
    type_of,
)
from deepconsensus_plugin.core.limits import (
    LIMITS,
    describe_limits,
    expected_of,
    show,
)


@dataclass(frozen=True)
class Parameter:
    """Declaration of a field, besides its type and its default.

    Parameters
    ----------
    label : str
        What forms call it, without unit. Empty: no form shows it.
    help : str
        What it does, as forms mark it up (``*emphasis*``). Names of other fields in
        braces stand for their defaults.
    unit : str
        Of the number.
    if_none, auto : str
        What None stands for, or how the value is then found; completes "Empty: …" or
        "Auto (empty): …".
    is_expert : bool
        Whether only experts need to see it.
    shown_if : tuple of str and object, optional
        Another field, and the value of it that gives this one a meaning; with any
        other, no form shows it, and its limits are not looked at.
    ge, gt, le, lt, multiple_of : float, optional
        Limits: at least, above, at most, below.
    may_be_infinite : bool
        Whether a number that is infinite, or none (NaN), is allowed.
    """

    label: str = ""
    help: str = ""
    unit: str = ""
    if_none: str = ""
    auto: str = ""
    is_expert: bool = False
    shown_if: tuple[str, object] | None = None
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    multiple_of: float | None = None
    may_be_infinite: bool = False

    @property
    def limits(self) -> dict[str, Any]:
        """Limits that are declared, by their names in pydantic."""
        given = {name: getattr(self, name) for name in LIMITS}
        return {name: limit for name, limit in given.items() if limit is not None}


def declare(label: str = "", help: str = "", **more: Any) -> dict[str, Any]:
    """Return the metadata of a dataclass field that is a `Parameter`.

    Parameters
    ----------
    label, help, **more
        Fields of `Parameter`.
    """
    parameter = Parameter(label, help, **more)
    # pydantic reads its own names from a field's metadata when a file is read.
    return {"parameter": parameter} | ({} if parameter.shown_if else parameter.limits)


def declare_training_seed() -> dict[str, Any]:
    """Return the metadata of the seed of a training."""
    return declare(
        "Random seed",
        "Random seed. The same seed and input give the same model on one machine.",
        is_expert=True,
        ge=0,
    )


@dataclass(frozen=True)
class Problem:
    """A value that its declaration forbids.

    Parameters
    ----------
    name, label : str
        The field, and what forms call it.
    expected : str
        Completes "it must be …".
    received : object
        The value.
    """

    name: str
    label: str
    expected: str
    received: object

    def __str__(self) -> str:
        """Return the problem as a sentence without a full stop."""
        subject = f"{self.label} ({self.name})" if self.label else self.name
        return f"{subject}: it must be {self.expected}, received {show(self.received)}"


class ForbiddenValueError(ValueError):
    """Parameters have values that their declaration forbids.

    Parameters
    ----------
    sentences : sequence of str
        What is wrong, without full stops.
    """

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = tuple(sentences)


class Declared:
    """Base of frozen dataclasses that refuse what their fields' declarations forbid.

    Raises
    ------
    ForbiddenValueError
        On construction, `dataclasses.replace` and reading, if a value is of another
        type or out of its range, or if values contradict each other.
    """

    def __post_init__(self) -> None:
        """Refuse forbidden values; keep a number of NumPy, say, as Python's."""
        kind: Any = type(self)
        values = {
            each.name: as_declared(kind, each.name, getattr(self, each.name))
            for each in fields(kind)
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        problems = find_problems(kind, values)
        sentences = [str(problem) for problem in problems] or self.conflicts()
        if sentences:
            raise ForbiddenValueError(sentences)

    def conflicts(self) -> list[str]:
        """Return what contradicts each other among allowed values, in sentences."""
        return []


def parameters_of(kind: type) -> dict[str, Parameter]:
    """Return the declared parameters of a dataclass, in its order."""
    declared: Any = kind
    return {
        each.name: each.metadata["parameter"]
        for each in fields(declared)
        if "parameter" in each.metadata
    }


def find_problems(kind: type, values: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with values, by field, of some fields of a dataclass."""
    adapters, declared = _adapters(kind), parameters_of(kind)
    known = defaults_of(kind) | dict(values)
    problems = []
    for name, value in values.items():
        condition = declared.get(name, Parameter()).shown_if
        if condition is not None and known.get(condition[0]) != condition[1]:
            continue
        try:
            adapters[name].validate_python(value, strict=True)
        except ValidationError as error:
            details = error.errors(include_url=False)[0]
            parameter = declared.get(name, Parameter())
            if value is None and parameter.limits:
                expected = describe_limits(parameter.limits)
            elif get_origin(type_of(kind, name)) is tuple and _is_of_shape(details):
                expected = _describe_tuple(type_of(kind, name))
            else:
                expected = expected_of(details, all_limits=parameter.limits)
            problems.append(Problem(name, parameter.label, expected, value))
    return problems


def _is_of_shape(details: Mapping[str, Any]) -> bool:
    """Return whether one of pydantic's errors is that a tuple is none, or too long."""
    return details["type"] in ("tuple_type", "missing", "too_long")


def _describe_tuple(hint: Any) -> str:
    each = get_args(hint)
    return "a tuple" if ... in each else f"a tuple of {len(each)}"


def find_conflicts(kind: type[Declared], values: Mapping[str, Any]) -> list[str]:
    """Return what contradicts each other among values, by field, of a dataclass.

    Its `conflicts` sees these, and the defaults of others; limits are not looked at.
    """
    unchecked = object.__new__(kind)
    for name, value in (defaults_of(kind) | dict(values)).items():
        object.__setattr__(unchecked, name, value)
    return unchecked.conflicts()


@functools.cache
def _adapters(kind: Any) -> dict[str, TypeAdapter[Any]]:
    declared, hints = parameters_of(kind), hints_of(kind)
    adapters = {}
    for name, hint in hints.items():
        limits = declared[name].limits if name in declared else {}
        limited: Any = Annotated[hint, Field(**limits, **_finite(kind, name))]
        adapters[name] = TypeAdapter(limited)
    return adapters


def _finite(kind: type, name: str) -> dict[str, Any]:
    """Return the limit that a declared number has besides: to be finite."""
    declared = parameters_of(kind).get(name)
    if declared is None or declared.may_be_infinite or type_of(kind, name) is not float:
        return {}
    return {"allow_inf_nan": False}
