# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences on what of a picker's files was not used, or looks wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.pick_files.codec import InAngstrom
from deepconsensus_plugin.core.pick_files.names import listed
from deepconsensus_plugin.core.types import Micrograph, PickerPicks

_SAME_RATE = 0.02
"""Relative difference of pixel sizes that are the same but for a calibration."""


def describe_left_over(
    labels: Sequence[Path | str],
    used: Mapping[str, Path | str],
    micrographs: Collection[str],
) -> list[str]:
    """Return a warning if micrographs and picks are left over that may be the same.

    Parameters
    ----------
    labels : sequence of Path or str
        Files, or names in them, that hold picks.
    used : mapping of micrograph name to Path or str
        Those that were matched.
    micrographs : collection of str
        All names.
    """
    taken = {*used.values()}
    rest = [label for label in labels if label not in taken]
    missing = [name for name in micrographs if name not in used]
    if not rest or not missing:
        return []
    return [
        f"WARNING: {len(missing)} of {len(micrographs)} micrographs have no picks "
        f"({listed(missing)}), and the picks of {len(rest)} names fit no micrograph "
        f"({listed(rest)}). If they belong together, rename the files."
    ]


def describe_outside(
    picks: PickerPicks, micrographs: Mapping[str, Micrograph]
) -> list[str]:
    """Return a warning if picks are outside their micrographs."""
    outside = 0
    for name, each in picks.coordinates.items():
        inside = (each.yx >= 0) & (each.yx <= np.array(micrographs[name].shape) - 1)
        outside += len(each) - int(inside.all(axis=1).sum())
    if not outside:
        return []
    return [
        f"WARNING: {outside} of {len(picks)} picks are outside their micrographs; is "
        "the scale right?"
    ]


def describe_pixel_size(told: InAngstrom, rate: float | None) -> list[str]:
    """Return a warning if a file is of micrographs of another pixel size.

    Parameters
    ----------
    told : InAngstrom
        What the file tells.
    rate : float, optional
        Å per pixel of the file's positions, if the scale is right.
    """
    theirs = told.pixel_size
    if theirs is None and rate and (told.least_pixel_size or 0) > rate:
        theirs = told.least_pixel_size
    if not rate or theirs is None or abs(theirs / rate - 1) <= _SAME_RATE:
        return []
    return [
        f"WARNING: The files are of micrographs of {theirs:.4g} Å/px, but with this "
        f"scale their pixels are {rate:.4g} Å. Is the scale right, and the pixel size?"
    ]
