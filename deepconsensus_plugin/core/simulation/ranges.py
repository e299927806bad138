# SPDX-License-Identifier: GPL-3.0-or-later
"""Valid ranges of the parameters of a simulation."""

from __future__ import annotations

from collections.abc import Mapping


def require_at_least(least: float, values: Mapping[str, float]) -> None:
    """Raise a ValueError that names the first value below `least`."""
    for name, value in values.items():
        if not value >= least:
            raise ValueError(f"{name} must be >= {least:g}, received {value}")


def require_positive(values: Mapping[str, float]) -> None:
    """Raise a ValueError that names the first value that is not above 0."""
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} must be > 0, received {value}")


def require_parts(values: Mapping[str, float]) -> None:
    """Raise a ValueError that names the first value that is not from 0 to 1."""
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name} must be from 0 to 1, received {value}")


def require_range(name: str, low: float, high: float) -> None:
    """Raise a ValueError if a range is upside down."""
    if not low <= high:
        raise ValueError(f"{name}: expected (least, most), received {low, high}")
