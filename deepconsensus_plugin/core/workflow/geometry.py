# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry of boxes extracted from the picked micrographs, or from copies of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.boxes import scaled_box
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing, fitting_input_size
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates


@dataclass(frozen=True)
class BoxGeometry:
    """Micrographs that boxes are extracted from, and the scale of coordinates on them.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Micrographs with the names of those that the coordinates lie on.
    box_size : int
        Side of the box, pixels of these.
    scale : float
        Pixels of these per pixel of the coordinates.
    needs_ctf : bool
        Whether micrographs without a CTF are left out.
    """

    micrographs: tuple[Micrograph, ...]
    box_size: int
    scale: float = 1.0
    needs_ctf: bool = False

    @classmethod
    def of(
        cls,
        cut: Sequence[Micrograph],
        *,
        box_size: int,
        sampling_rate: float,
        needs_ctf: bool = False,
    ) -> BoxGeometry:
        """Return the geometry of a box of `box_size` pixels of `sampling_rate` Å."""
        scale = sampling_rate / cut[0].sampling_rate
        return cls(tuple(cut), scaled_box(box_size, scale), scale, needs_ctf)

    @property
    def usable(self) -> tuple[Micrograph, ...]:
        """Micrographs that boxes can be extracted from."""
        return tuple(m for m in self.micrographs if m.ctf or not self.needs_ctf)

    def place(
        self, coordinates: Mapping[str, ScoredCoordinates]
    ) -> dict[str, ScoredCoordinates]:
        """Return the coordinates on usable micrographs, in their pixels."""
        usable = {micrograph.name for micrograph in self.usable}
        return {
            name: ScoredCoordinates(here.yx * self.scale, here.scores)
            for name, here in coordinates.items()
            if name in usable
        }


def preprocessing_of(
    model: Path | None, box_size: int, sampling_rate: float
) -> BoxPreprocessing:
    """Return the preprocessing of boxes: that of a model, or else the default.

    By default, particles are dark, phases are not flipped, and the size of the network
    input fits a box of `box_size` pixels of `sampling_rate` Å.
    """
    if model is not None:
        return load_card_of(model, EnsembleCard).preprocessing
    return BoxPreprocessing(fitting_input_size(box_size, sampling_rate))
