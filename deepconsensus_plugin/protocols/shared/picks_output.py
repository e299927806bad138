# SPDX-License-Identifier: GPL-3.0-or-later
"""Output of protocols that pick or import: the coordinates of one picker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pwem.objects import SetOfCoordinates
from pwem.protocols import ProtParticlePicking

from deepconsensus_plugin.convert import (
    append_coordinates,
    observed_by_all,
    write_observed,
)
from deepconsensus_plugin.core.types import FloatArray, PickerPicks


def createPicksSet(
    protocol: ProtParticlePicking,
    picks: PickerPicks,
    *,
    observed: str,
    suffix: str = "",
    probability: Callable[[FloatArray], FloatArray] | None = None,
    masks: Path | None = None,
) -> SetOfCoordinates:
    """Return a new set of the picks, which knows where the picker was run.

    Parameters
    ----------
    protocol : ProtParticlePicking
        Whose output it will be; the picks lie on its `inputMicrographs`.
    picks : PickerPicks
        In pixels of these micrographs.
    observed : str
        File to write the micrographs to that the picker was run on.
    suffix : str
        Suffix of the set's file.
    probability : callable, optional
        As for `append_coordinates`.
    masks : Path, optional
        Folder of the masks of the micrographs.
    """
    coordinates = protocol._createSetOfCoordinates(
        protocol.inputMicrographs, suffix=suffix
    )
    coordinates.setBoxSize(round(picks.box_size))
    append_coordinates(
        coordinates,
        protocol.inputMicrographs.get(),
        picks.coordinates,
        probability=probability,
    )
    known = observed_by_all([picks])
    if masks is not None:
        known = replace(known, masks=str(masks))
    write_observed(coordinates, observed, known)
    return coordinates
