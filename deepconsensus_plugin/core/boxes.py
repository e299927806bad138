# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes of one micrograph, from disk to raw or prepared, for training and scoring.

A stack of particles in the place of a micrograph gives its images, with the contrast of
the micrographs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.io.stacks import open_stack
from deepconsensus_plugin.core.preprocessing import flip_phases, fourier_resize
from deepconsensus_plugin.core.types import FloatArray, IntArray, Micrograph

_BYTES_AT_ONCE = 2**23
"""Few boxes at a time stay in the cache while they are cut and resampled."""

_FLIP_MARGIN = 2
"""Boxes to flip are cut this much larger, since a flip moves density."""


def scaled_box(box_size: int, scale: float) -> int:
    """Return a box in pixels that are `scale` times as many.

    It becomes the nearest even one, as programs for 2D and 3D classification want it;
    a box that is not scaled stays.
    """
    return box_size if scale == 1 else max(2, 2 * round(box_size * scale / 2))


def cut_boxes(
    micrograph: Micrograph, yx: FloatArray, box_size: int, *, phase_flip: bool
) -> Iterator[NDArray[np.float32]]:
    """Yield raw boxes of a micrograph, some at a time, phases flipped on request.

    Parameters
    ----------
    micrograph : Micrograph
        Read from its path.
    yx : array, shape (n, 2)
        Centres, pixels.
    box_size : int
        Pixels. Of a stack, images are as large as it says itself.
    phase_flip : bool
        Whether to undo the sign of its CTF, unless it was done before.

    Yields
    ------
    array, shape (some, side, side), float32
        Together n, in order; `side` is `box_size`, or that of a stack. Crowded
        micrographs and large boxes take no more memory.

    Raises
    ------
    ValueError
        If phases are to be flipped and the CTF is not known.
    """
    images = micrograph.images
    phase_flip = phase_flip and not (images is not None and images.is_flipped)
    if phase_flip and micrograph.ctf is None:
        raise ValueError(
            f"{micrograph.name}: phases are to be flipped, but its CTF is not known; "
            "give a set of CTFs that covers all micrographs, or train without them"
        )
    inner = box_size if images is None else images.shown
    margin = _FLIP_MARGIN * box_size if images is None else images.side
    side = margin if phase_flip else inner
    pixels = _open(micrograph)
    n_at_once = max(1, _BYTES_AT_ONCE // (4 * side**2))
    for first in range(0, len(yx), n_at_once):
        boxes = extract_boxes(pixels, yx[first : first + n_at_once], side)
        if phase_flip and micrograph.ctf is not None:
            boxes = flip_phases(boxes, micrograph.ctf, micrograph.sampling_rate)
            corner = side // 2 - inner // 2
            middle = slice(corner, corner + inner)
            boxes = boxes[:, middle, middle]
        yield -boxes if images is not None and images.is_opposite else boxes


def _open(micrograph: Micrograph) -> NDArray[Any]:
    if micrograph.images is None:
        return open_micrograph(micrograph.path)
    return open_stack(micrograph.path)


def cut_chosen_boxes(
    micrographs: Sequence[Micrograph],
    which: IntArray,
    yx: FloatArray,
    box_size: int,
) -> NDArray[np.float32]:
    """Return raw boxes of several micrographs, each of which is opened once.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Only those with boxes are read.
    which : array, shape (n,), int
        The micrograph of each box.
    yx : array, shape (n, 2)
        Centres, pixels.
    box_size : int
        Pixels.

    Returns
    -------
    array, shape (n, box_size, box_size), float32
        In the order of the positions. Images of stacks are resampled to it.
    """
    boxes = np.empty((len(which), box_size, box_size), np.float32)
    rows = rows_of_groups(which, len(micrographs))
    for index, here in enumerate(rows):
        if not len(here):
            continue
        parts = cut_boxes(micrographs[index], yx[here], box_size, phase_flip=False)
        resized = [fourier_resize(some, box_size) for some in parts]
        boxes[here] = np.concatenate(resized)
    return boxes
