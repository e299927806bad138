# SPDX-License-Identifier: GPL-3.0-or-later
"""The boxes that an ensemble got most wrong, cut out to be looked at."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.pipeline.held_out import HeldOut
from deepconsensus_plugin.core.types import IntArray, Micrograph
from deepconsensus_plugin.plots.gallery import GalleryRow

_TITLES = {
    True: "Labelled particles that look like background",
    False: "Labelled background that looks like particles",
}


def worst_mistakes(
    held_out: HeldOut, micrographs: Mapping[str, Micrograph], *, box_size: int, n: int
) -> list[GalleryRow]:
    """Return the worst `n` of either label, with their scores; at most two rows.

    Parameters
    ----------
    held_out : HeldOut
        Positions in pixels of `micrographs`.
    micrographs : mapping of name to Micrograph
        Only those with mistakes are read.
    box_size : int
        Pixels.
    n : int
        Of each label, at most.
    """
    gallery = []
    for is_particle, title in _TITLES.items():
        rows = held_out.worst(is_particle=is_particle, n=n)
        if len(rows):
            boxes = _cut(held_out, rows, micrographs, box_size)
            captions = [f"{held_out.mean_score[row]:.2f}" for row in rows]
            gallery.append(GalleryRow(f"{title} (score)", boxes, captions))
    return gallery


def _cut(
    held_out: HeldOut,
    rows: IntArray,
    micrographs: Mapping[str, Micrograph],
    box_size: int,
) -> NDArray[np.float32]:
    """Return the boxes in the order of `rows`; each micrograph is opened once."""
    boxes = np.empty((len(rows), box_size, box_size), np.float32)
    where = held_out.rows.micrograph[rows]
    for index in np.unique(where):
        micrograph = micrographs[held_out.rows.micrographs[index]]
        pixels = open_micrograph(micrograph.path)
        here = where == index
        boxes[here] = extract_boxes(pixels, held_out.rows.yx[rows[here]], box_size)
    return boxes
