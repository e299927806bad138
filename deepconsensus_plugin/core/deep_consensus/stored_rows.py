# SPDX-License-Identifier: GPL-3.0-or-later
"""Columns of labelled coordinates in a file: checked to fit together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.limits import FARTHEST_PX


def check_columns(
    columns: Mapping[str, NDArray[Any]], *, n_sources: int, n_micrographs: int
) -> None:
    """Refuse columns of a file that are no labelled coordinates.

    Parameters
    ----------
    columns : mapping of str to array
        Arrays of `LabelledCoordinates`, by name.
    n_sources, n_micrographs : int
        Number of names that the rows refer to.

    Raises
    ------
    ValueError
        If lengths differ, or values cannot be.
    """
    n = len(columns["weight"])
    for name, column in columns.items():
        if column.shape != ((n, 2) if name == "yx" else (n,)):
            raise ValueError(f"{name} of shape {column.shape} of {n} rows")
    for name, n_names in (("source", n_sources), ("micrograph", n_micrographs)):
        index = columns[name]
        if index.dtype.kind not in "iu" or not ((index >= 0) & (index < n_names)).all():
            raise ValueError(f"numbers in {name} that are none of {n_names}")
    if columns["is_particle"].dtype != np.bool_ or not (columns["weight"] > 0).all():
        raise ValueError("labels that are none, or weights that are not positive")
    if not (np.abs(columns["yx"]) <= FARTHEST_PX).all():
        raise ValueError(f"positions that are not within {FARTHEST_PX:g} px")
