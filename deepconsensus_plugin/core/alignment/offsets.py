# SPDX-License-Identifier: GPL-3.0-or-later
"""Offsets from one picker's picks to another's, as shown in the plot of offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepconsensus_plugin.core.alignment.misalignment import Misalignment
from deepconsensus_plugin.core.alignment.placement import Orientation, Placement
from deepconsensus_plugin.core.alignment.search import (
    measure_misalignment,
    pairs_to_compare,
    points_to_compare,
)
from deepconsensus_plugin.core.alignment.superposition import differences_within
from deepconsensus_plugin.core.types import FloatArray, PickerPicks


@dataclass(frozen=True, eq=False)
class Offsets:
    """Differences between the picks of two pickers, at most a box along either axis.

    Parameters
    ----------
    misalignment : Misalignment
        Misalignment that follows from them.
    yx : array, shape (n, 2)
        Other minus reference, pixels, of every pair of picks that is near.
    mended_yx : array, shape (m, 2), optional
        The same once mirrored or exchanged axes and the scale are undone; None where
        there is nothing of the kind.
    """

    misalignment: Misalignment
    yx: FloatArray
    mended_yx: FloatArray | None


def measure_offsets(
    pickers: Sequence[PickerPicks],
    shapes: Mapping[str, tuple[int, int]],
    *,
    box_size: float,
) -> list[Offsets]:
    """Return how the picks of each picker lie relative to one of them.

    Parameters
    ----------
    pickers, shapes, box_size
        As for `find_misalignments`, which compares the same pairs of pickers.

    Returns
    -------
    list of Offsets
        One for every picker but the reference, by name; of some of the micrographs
        where there are many picks.
    """
    offsets = []
    for reference, other in pairs_to_compare(pickers, shapes, box_size=box_size):
        pairs = points_to_compare(reference, other, shapes)
        found = measure_misalignment(reference, other, shapes, box_size=box_size)
        mend = Placement(
            Orientation(found.swapped_xy, found.flip_y, found.flip_x),
            found.scale,
            found.stretch_x,
        )
        mended = None
        if mend != Placement():
            mended = differences_within(pairs, mend, box_size)
        offsets.append(
            Offsets(found, differences_within(pairs, Placement(), box_size), mended)
        )
    return offsets
