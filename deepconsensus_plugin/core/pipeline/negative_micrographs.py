# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs that give negatives, and what is occupied there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

logger = logging.getLogger(__name__)


def find_occupied(
    candidates: Candidates, avoided: Path | None
) -> dict[str, ScoredCoordinates]:
    """Return the places to stay away from, by micrograph of the candidates.

    Parameters
    ----------
    candidates : Candidates
        All of them are.
    avoided : Path, optional
        File of coordinates of further places.
    """
    occupied = candidates.coordinates()
    others = {} if avoided is None else read_coordinates(avoided)
    for name, here in others.items():
        if name in occupied:
            both = np.concatenate([occupied[name].yx, here.yx])
            occupied[name] = ScoredCoordinates.from_arrays(both)
    return occupied


def fully_observed(
    micrographs: Sequence[Micrograph], candidates: Candidates
) -> list[Micrograph]:
    """Return the micrographs that all pickers observed, without bad ones.

    Raises
    ------
    ValueError
        If there is none, or one of them is not among `micrographs`.
    """
    by_name = {micrograph.name: micrograph for micrograph in micrographs}
    bad = candidates.bad_micrographs
    names = np.array(candidates.micrographs)[candidates.observed.all(axis=1)].tolist()
    names = [name for name in names if name not in bad]
    if not names:
        raise ValueError(
            "expected micrographs that all pickers were run on, since only there "
            f"background is known; none of {len(candidates.micrographs)} was observed "
            f"by all of {', '.join(candidates.pickers)}"
            + (f"; {len(bad)} are bad" if bad else "")
        )
    missing = [name for name in names if name not in by_name]
    if missing:
        raise ValueError(
            f"candidates on {len(missing)} micrographs that are not among the "
            f"{len(micrographs)} given, e.g. {missing[0]}"
        )
    return [by_name[name] for name in names]


def check_room(micrographs: Sequence[Micrograph], box_size: int) -> None:
    """Warn of micrographs smaller than the box; raise ValueError if all are."""
    small = [m for m in micrographs if min(m.shape) < box_size]
    if not small:
        return
    rows, cols = small[0].shape
    if len(small) == len(micrographs):
        raise ValueError(
            f"expected micrographs of at least {box_size} px, the box, received "
            f"{rows} × {cols} px ({small[0].name}): is the box size in pixels of these "
            "micrographs?"
        )
    logger.warning(
        "%d of %d micrographs are smaller than the box of %d px and give no "
        "background, e.g. %s (%d × %d px)",
        *(len(small), len(micrographs), box_size, small[0].name, rows, cols),
    )
