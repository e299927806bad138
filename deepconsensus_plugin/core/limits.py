# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits of numbers, as types and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

Finite = Annotated[float, Field(allow_inf_nan=False)]
"""A number that is not infinite, nor NaN."""

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
"""A number above 0."""

NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A number that is 0 or more."""

Fraction = Annotated[float, Field(ge=0, le=1)]
"""A number from 0 to 1."""

Count = Annotated[int, Field(ge=1)]
"""A whole number, 1 or more."""

NotNegativeInt = Annotated[int, Field(ge=0)]
"""A whole number, 0 or more."""

Seed = NotNegativeInt
"""Of random numbers."""

FARTHEST_PX = 1e6
"""Largest position and box, pixels: no micrograph is a tenth as wide."""

LARGEST_SCORE = 1e15
"""Largest score of any scale; its square is still a number in single precision."""

COARSEST_A = 1e4
"""Largest pixel size, Å/px."""

PixelSize = Annotated[float, Field(gt=0, le=COARSEST_A, allow_inf_nan=False)]
"""Å/px."""

NetworkCount = Annotated[int, Field(ge=1, le=1000)]
"""Networks of a model."""

BlockCount = Annotated[int, Field(ge=0, le=100)]
"""Blocks of a network."""

Diameter = Annotated[float, Field(gt=0, le=1e5, allow_inf_nan=False)]
"""Longest diameter of a particle, Å."""

Side = Annotated[int, Field(ge=1, le=int(FARTHEST_PX))]
"""Rows or columns of a micrograph or box, pixels."""

LIMITS = ("ge", "gt", "le", "lt", "multiple_of")
"""Names of limits in pydantic."""

_LONGEST_VALUE = 60
"""Characters of a wrong value that an error shows."""

_WORDS = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "finite_number": "a finite number",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "values by name",
    "dataclass_type": "values by name",
}
"""What pydantic's types of errors expect, in plain words."""


def show(value: object) -> str:
    """Return a wrong value as an error shows it, cut where it is long."""
    shown = repr(value)
    return shown if len(shown) <= _LONGEST_VALUE else shown[:_LONGEST_VALUE] + "…"


def expected_of(
    details: Mapping[str, Any], *, all_limits: Mapping[str, float] | None = None
) -> str:
    """Return what an error of pydantic expects, completing "it must be …".

    Parameters
    ----------
    details : mapping
        One of ``ValidationError.errors()``.
    all_limits : mapping, optional
        Limits of the value; one that was broken is told with the others.
    """
    broken = {k: v for k, v in details.get("ctx", {}).items() if k in LIMITS}
    if broken:
        return describe_limits(broken | dict(all_limits or {}))
    words = _WORDS.get(details["type"])
    return words or str(details["msg"]).removeprefix("Input should be ")


def describe_limits(limits: Mapping[str, float]) -> str:
    """Return limits in words, completing "it must be …"."""
    if "ge" in limits and "le" in limits:
        parts = [f"{limits['ge']:g} to {limits['le']:g}"]
    else:
        forms = {
            "gt": "above {:g}",
            "ge": "{:g} or more",
            "le": "at most {:g}",
            "lt": "below {:g}",
        }
        parts = [form.format(limits[k]) for k, form in forms.items() if k in limits]
    within = " and ".join(parts)
    if "multiple_of" not in limits:
        return within
    multiple = f"a multiple of {limits['multiple_of']:g}"
    return f"{multiple}, {within}" if within else multiple


def describe_reversed(label: str, ends: tuple[float, float]) -> list[str]:
    """Return a sentence if the least of a range is above the most."""
    least, most = ends
    if least <= most:
        return []
    return [
        f"{label}: the least must not be above the most, received {least} to {most}"
    ]
