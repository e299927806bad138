# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs on which background is known, since all pickers looked at them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.types import Micrograph

logger = logging.getLogger(__name__)


def fully_observed(
    micrographs: Sequence[Micrograph], candidates: Candidates
) -> list[Micrograph]:
    """Return the micrographs that all pickers observed and that are not bad.

    Raises
    ------
    ValueError
        If there is none, or one of those is not among the given ones.
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
