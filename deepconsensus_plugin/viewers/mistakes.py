# SPDX-License-Identifier: GPL-3.0-or-later
"""Gallery of the boxes with the largest errors of an ensemble."""

from __future__ import annotations

from collections.abc import Mapping

from deepconsensus_plugin.core.boxes import cut_chosen_boxes
from deepconsensus_plugin.core.deep_consensus.held_out import HeldOut
from deepconsensus_plugin.core.types import Micrograph
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
        Maximum number of boxes of each label.
    """
    gallery = []
    for is_particle, title in _TITLES.items():
        rows = held_out.worst(is_particle=is_particle, n=n)
        if len(rows):
            boxes = cut_chosen_boxes(
                [micrographs[name] for name in held_out.rows.micrographs],
                held_out.rows.micrograph[rows],
                held_out.rows.yx[rows],
                box_size,
            )
            captions = [f"{held_out.mean_score[row]:.2f}" for row in rows]
            gallery.append(GalleryRow(f"{title} (score)", boxes, captions))
    return gallery
