# SPDX-License-Identifier: GPL-3.0-or-later
"""Extent of the particle, told by the boxes themselves.

The box that a user gives is often much larger than the particle; then neighbours lie
in it, and would steer the alignment.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from deepconsensus_plugin.core.averages.polar import Float32Array
from deepconsensus_plugin.core.types import DIAMETER_PER_BOX

_SMOOTHING_PX = 1.5
_ENOUGH = 2000
"""Boxes beyond this number do not change the profile."""

_SURROUNDINGS = 0.38
"""Radius, in boxes, from which on the profile shows the surroundings."""

_VISIBLE, _FADED = 1.5, 1.3
"""Energy, in that of the surroundings, of a particle, and where it ends."""

_MARGIN = 1.2
"""Particles reach a little beyond the radius at which the median of them ends."""


def mask_radius(boxes: Float32Array) -> float:
    """Return the radius of a mask that holds the particle and little else, pixels.

    The median energy of smoothed boxes falls with the distance from the centre until it
    reaches that of the surroundings. Where it does not stand out, and at most, the
    radius is that of the diameter for which boxes of this size are drawn.

    Parameters
    ----------
    boxes : array, shape (n, size, size), n >= 1
        Centred on particles, on one scale.
    """
    size = boxes.shape[-1]
    largest = 1.05 * DIAMETER_PER_BOX * size / 2
    smooth = gaussian_filter(boxes[:_ENOUGH], (0, _SMOOTHING_PX, _SMOOTHING_PX))
    smooth -= smooth.mean(axis=(1, 2), keepdims=True)
    energy = np.median(smooth**2, axis=0)
    axis = np.arange(size) - size // 2
    ring = np.hypot(axis[:, None], axis[None, :]).astype(np.intp).ravel()
    profile = (np.bincount(ring, energy.ravel()) / np.bincount(ring))[: size // 2]
    surroundings = np.median(profile[round(_SURROUNDINGS * size) :])
    first = size // 20  # the centre is a few pixels, whose mean varies
    peak = first + int(profile[first : round(largest)].argmax())
    if profile[peak] < _VISIBLE * surroundings:
        return largest
    faded = np.flatnonzero(profile[peak:] < _FADED * surroundings)
    end = peak + (int(faded[0]) if len(faded) else size)
    return float(min(largest, _MARGIN * end + 0.5))
