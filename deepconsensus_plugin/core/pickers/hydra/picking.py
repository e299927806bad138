# SPDX-License-Identifier: GPL-3.0-or-later
"""Picking with a trained HydraPicker, with any of its heads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.consensus.suppression import suppress_overlaps
from deepconsensus_plugin.core.pickers.hydra.anchors import IS_PARTICLE, OFFSETS
from deepconsensus_plugin.core.pickers.hydra.card import HydraCard
from deepconsensus_plugin.core.pickers.hydra.detector import HydraDetector
from deepconsensus_plugin.core.pickers.hydra.heads import Weights
from deepconsensus_plugin.core.pickers.hydra.options import HydraPickOptions
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraArchitecture
from deepconsensus_plugin.core.pickers.hydra.rescaling import (
    RescaledMicrograph,
    enlarge,
    flatten,
    pad_with_noise,
)
from deepconsensus_plugin.core.pickers.hydra.store import load_hydra
from deepconsensus_plugin.core.pickers.maps.score_map import compute_in_tiles
from deepconsensus_plugin.core.pickers.trained.normalisation import Normalisation
from deepconsensus_plugin.core.pickers.trained.prepared import (
    MicrographPreprocessing,
    PreparedMicrograph,
    prepare_for_network,
)
from deepconsensus_plugin.core.types import FloatArray, Micrograph, ScoredCoordinates

Float32Array = NDArray[np.float32]

_TILE = 768
"""Side of a tile, pixels; a multiple of every step. Borders of smaller ones cost
more."""

_STEPS_OUTSIDE = 2
"""Anchors so many steps outside the image may still point at a particle inside."""

_CROPS = 4
"""Number of crops from which a micrograph's statistics are measured."""


@dataclass(frozen=True)
class ParticleAppearance:
    """Appearance of particles on the micrographs of one sample: size and contrast.

    Parameters
    ----------
    particle_diameter_A : float
        Longest diameter, Å, which is rescaled to the network's.
    are_particles_dark : bool
        Whether particles are darker than the background; if not, micrographs are
        inverted.
    normalisation : Normalisation
        Method of normalisation.
    border : float
        Distance to the border, in diameters, below which picks are rejected.
    """

    particle_diameter_A: float
    are_particles_dark: bool = True
    normalisation: Normalisation = Normalisation.STANDARD
    border: float = 0.0

    def rescale(
        self, prepared: PreparedMicrograph, pixel_size_A: float, particle_px: float
    ) -> RescaledMicrograph:
        """Return the network input of a prepared micrograph of this pixel size."""
        zoom = particle_px / (self.particle_diameter_A / pixel_size_A)
        image = enlarge(self.flatten(prepared.image, pixel_size_A), zoom)
        return RescaledMicrograph(image, prepared, zoom)

    def flatten(self, image: Float32Array, pixel_size_A: float) -> Float32Array:
        """Return a micrograph of this pixel size, level, particles dark."""
        sign = np.float32(1 if self.are_particles_dark else -1)
        return sign * flatten(image, self.particle_diameter_A / pixel_size_A)


class HydraPicker:
    """Picker that returns a detector's detections; a `TrainedPicker`.

    Parameters
    ----------
    detector : HydraDetector
        Body and head.
    view : ParticleAppearance
        Appearance of the particles on the micrographs.
    """

    def __init__(self, detector: HydraDetector, view: ParticleAppearance) -> None:
        self._detector, self._view = detector, view
        self._architecture: HydraArchitecture = detector.architecture

    @classmethod
    def of(
        cls,
        body: Weights,
        heads: list[Weights],
        card: HydraCard,
        options: HydraPickOptions,
    ) -> HydraPicker:
        """Return the picker of a model, as chosen.

        Raises
        ------
        IncompatibleModelError
            If there is no such head, or the diameter of the particles is unknown.
        """
        number, head = card.find_head(options)
        view = ParticleAppearance(
            particle_diameter_A=head.particle_diameter_A or card.particle_diameter_A,
            are_particles_dark=head.are_particles_dark,
            normalisation=card.preprocessing.normalisation,
            border=options.border,
        )
        detector = HydraDetector(card.training.architecture, body, heads[number])
        return cls(detector, view)

    @property
    def pixel_size_A(self) -> float:
        """Pixel size of what the network sees, Å."""
        return self._view.particle_diameter_A / self._architecture.particle_px

    def prepare(self, micrograph: Micrograph) -> RescaledMicrograph:
        """Read a micrograph and return it prepared as network input."""
        particle_px = self._architecture.particle_px
        pixel_size = max(self.pixel_size_A, micrograph.sampling_rate)
        preprocessing = MicrographPreprocessing(pixel_size, self._view.normalisation)
        prepared = prepare_for_network(micrograph, preprocessing)
        return self._view.rescale(prepared, pixel_size, particle_px)

    def score_some(self, prepared: RescaledMicrograph) -> FloatArray:
        """Return the log-odds of all anchors."""
        return self.detect_all(prepared.image).scores

    def find(self, prepared: RescaledMicrograph) -> ScoredCoordinates:
        """Return every particle, best first; log-odds, pixels of the micrograph."""
        found = self.detect(prepared.image)
        margin = self._view.border * self._architecture.particle_px
        last = np.array(prepared.image.shape) - 1 - margin
        found = found.take(((found.yx >= margin) & (found.yx <= last)).all(axis=1))
        return ScoredCoordinates(prepared.to_micrograph(found.yx), found.scores)

    def detect(self, image: Float32Array) -> ScoredCoordinates:
        """Return what is found on a rescaled image, its pixels, also at its borders.

        Of two picks within half a particle the better one is kept.
        """
        return self.suppress(self.detect_all(image))

    def suppress(self, places: ScoredCoordinates) -> ScoredCoordinates:
        """Return the better of any two places within half a particle, best first."""
        radius_px = self._architecture.particle_px / 2
        return suppress_overlaps(places, radius_px=radius_px)

    def detect_all(self, image: Float32Array) -> ScoredCoordinates:
        """Return the place and log-odds of every anchor on a rescaled image."""
        architecture = self._architecture
        step, reach = architecture.step, architecture.reach
        n_around = -(-reach // step)
        n_outside = min(n_around, _STEPS_OUTSIDE)
        padded = pad_with_noise(image, step * n_around)
        self._detector.fit(_crops(image, architecture.crop_px))
        outputs = compute_in_tiles(
            self._detector.detect,
            padded,
            reach=reach,
            step=step,
            tile=_TILE,
            context=step * (n_around - n_outside),
        )
        anchors = step * np.moveaxis(np.indices(outputs.shape[:2]), 0, -1)
        yx = anchors + step * (outputs[..., OFFSETS] - n_outside)
        scores = outputs[..., IS_PARTICLE].ravel().astype(np.float64)
        places = ScoredCoordinates(yx.reshape(-1, 2).astype(np.float64), scores)
        is_inside = (
            (places.yx > -0.5) & (places.yx < np.array(image.shape) - 0.5)
        ).all(axis=1)
        return places.take(is_inside)


def _crops(image: Float32Array, side: int) -> Float32Array:
    """Return crops of the training size, spread over an image."""
    lacking = max(0, side - min(image.shape))
    if lacking:
        image = pad_with_noise(image, -(-lacking // 2))
    starts = [
        np.unique(np.linspace(0, length - side, _CROPS // 2 + 2)[1:-1].astype(int))
        for length in image.shape
    ]
    return np.stack(
        [image[y : y + side, x : x + side] for y in starts[0] for x in starts[1]]
    )


def load(
    folder: Path, card: HydraCard, options: HydraPickOptions | None
) -> HydraPicker:
    """Return the picker of a model folder, with the head that `options` choose."""
    body, heads = load_hydra(folder, card)
    return HydraPicker.of(body, heads, card, options or HydraPickOptions())
