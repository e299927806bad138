# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes of one micrograph, from disk to raw or prepared, for training and scoring."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.preprocessing import flip_phases
from deepconsensus_plugin.core.types import FloatArray, Micrograph

_FLIP_MARGIN = 2
"""Boxes to flip are cut this much larger, since a flip moves density."""


def cut_boxes(
    micrograph: Micrograph, yx: FloatArray, box_size: int, *, phase_flip: bool
) -> NDArray[np.float32]:
    """Return raw boxes of a micrograph, phases flipped on request.

    Parameters
    ----------
    micrograph : Micrograph
        Read from its path.
    yx : array, shape (n, 2)
        Centres, pixels.
    box_size : int
        Pixels.
    phase_flip : bool
        Whether to undo the sign of its CTF.

    Returns
    -------
    array, shape (n, box_size, box_size), float32

    Raises
    ------
    ValueError
        If phases are to be flipped and the CTF is not known.
    """
    pixels = open_micrograph(micrograph.path)
    if not phase_flip:
        return extract_boxes(pixels, yx, box_size)
    if micrograph.ctf is None:
        raise ValueError(
            f"{micrograph.name}: phases are to be flipped, but its CTF is not known; "
            "give a set of CTFs that covers all micrographs, or train without them"
        )
    wide = _FLIP_MARGIN * box_size
    boxes = extract_boxes(pixels, yx, wide)
    flipped = flip_phases(boxes, micrograph.ctf, micrograph.sampling_rate)
    first = wide // 2 - box_size // 2
    return flipped[:, first : first + box_size, first : first + box_size]
