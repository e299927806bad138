# SPDX-License-Identifier: GPL-3.0-or-later
"""File ``metrics.json``: the figures of picks against a truth, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.json_text import read_json_object
from deepconsensus_plugin.core.limits import show
from deepconsensus_plugin.core.metrics.detection_metrics import DetectionMetrics

_COUNT = "n_"
_FIGURES = tuple(field.name for field in fields(DetectionMetrics))
_NOT_OBSERVED, _INTERVALS, _LATTICE = "n_not_observed", "intervals", "blind_lattice"


def read_figures(path: Path) -> dict[str, Any]:
    """Return what `Evaluation.to_dict` gave.

    Raises
    ------
    FileFormatError
        If a figure is missing, or is neither a number nor null.
    """
    figures = read_json_object(path)
    _check_figures(path, figures, "")
    _check_count(path, figures.get(_NOT_OBSERVED), _NOT_OBSERVED)
    for name in (_INTERVALS, _LATTICE):
        if not isinstance(figures.get(name), dict):
            raise _unexpected(path, f"{name} to be an object", figures.get(name))
    _check_figures(path, figures[_LATTICE], f"{_LATTICE}.")
    for name, interval in figures[_INTERVALS].items():
        is_pair = isinstance(interval, list) and len(interval) == 2
        if not is_pair or not all(end is None or _is_number(end) for end in interval):
            expected = f"{_INTERVALS}.{name} to be two numbers or null"
            raise _unexpected(path, expected, interval)
    return figures


def _check_figures(path: Path, figures: Mapping[str, Any], where: str) -> None:
    for name in _FIGURES:
        value = figures.get(name)
        if name.startswith(_COUNT):
            _check_count(path, value, f"{where}{name}")
        elif name not in figures or not (value is None or _is_number(value)):
            raise _unexpected(path, f"{where}{name} to be a number or null", value)


def _check_count(path: Path, value: object, name: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _unexpected(path, f"{name} to be a number of things", value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unexpected(path: Path, expected: str, value: object) -> FileFormatError:
    return FileFormatError(path, expected=expected, received=show(value))
