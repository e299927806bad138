# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry of boxes that are cut out of picked micrographs, or of others like them."""

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
    """Micrographs that boxes are cut from, and how coordinates lie on them.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        What is cut, named as the micrographs that the coordinates lie on.
    box_size : int
        Pixels of these.
    scale : float
        Pixels of these per pixel of the coordinates.
    needs_ctf : bool
        Whether a micrograph without a CTF is of no use.
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
        """Micrographs that boxes can be cut from as they are needed."""
        return tuple(m for m in self.micrographs if m.ctf or not self.needs_ctf)

    def place(
        self, coordinates: Mapping[str, ScoredCoordinates]
    ) -> dict[str, ScoredCoordinates]:
        """Return coordinates in the pixels that are cut, on usable micrographs."""
        usable = {micrograph.name for micrograph in self.usable}
        return {
            name: ScoredCoordinates(here.yx * self.scale, here.scores)
            for name, here in coordinates.items()
            if name in usable
        }


def preprocessing_of(
    model: Path | None, box_size: int, sampling_rate: float
) -> BoxPreprocessing:
    """Return what becomes of a box: as the model has it, or else by default.

    By default particles are dark, no phases are flipped, and the input fits a box of
    `box_size` pixels of `sampling_rate` Å.
    """
    if model is not None:
        return load_card_of(model, EnsembleCard).preprocessing
    return BoxPreprocessing(fitting_input_size(box_size, sampling_rate))
