# SPDX-License-Identifier: GPL-3.0-or-later
"""Training and validation data of HydraPicker: data sets, crops and held-out parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.pickers.hydra.detector import HydraDetector
from deepconsensus_plugin.core.pickers.hydra.examples import Crops, DetectionImage
from deepconsensus_plugin.core.pickers.hydra.parameters import (
    GENERAL,
    HydraArchitecture,
    HydraParameters,
)
from deepconsensus_plugin.core.pickers.hydra.picking import (
    HydraPicker,
    ParticleAppearance,
)
from deepconsensus_plugin.core.pickers.hydra.rescaling import RescaledMicrograph
from deepconsensus_plugin.core.pickers.trained.data import (
    MATCH_RADIUS,
    LearningData,
    collect,
)
from deepconsensus_plugin.core.pickers.trained.prepared import PreparedMicrograph
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.core.pickers.trained.validation import (
    PickerValidation,
    validate_picks,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

_VALIDATED_PIXELS = 4_000_000
"""Number of pixels of all data sets for validation, after rescaling."""

_VALIDATED_PIXELS_OF_A_SET = 500_000
"""At most: hundreds of particles."""

_VALIDATED_MICROGRAPHS = 2
"""Largest number of micrographs for validation per data set."""


@dataclass(frozen=True, eq=False)
class DetectionsWithTruth:
    """Detections on held-out micrographs, and the true particles, by name.

    Distances are in match radii, so that data sets can be pooled.
    """

    found: dict[str, ScoredCoordinates]
    truth: dict[str, ScoredCoordinates]

    def validation(self) -> PickerValidation:
        """Return the figures; every particle is labelled."""
        n_particles = sum(map(len, self.truth.values()))
        return validate_picks(
            self.found, self.truth, n_particles=float(n_particles), radius_px=1.0
        )


def merge_detections(parts: Sequence[DetectionsWithTruth]) -> DetectionsWithTruth:
    """Return several data sets as one."""
    found: dict[str, ScoredCoordinates] = {}
    truth: dict[str, ScoredCoordinates] = {}
    for number, part in enumerate(parts):
        found |= {f"{number}/{name}": picks for name, picks in part.found.items()}
        truth |= {f"{number}/{name}": true for name, true in part.truth.items()}
    return DetectionsWithTruth(found, truth)


class HydraSet:
    """Data set, prepared for training.

    Parameters
    ----------
    asked : LearningInput
        Micrographs and labels; the pixel size is not used.
    parameters : HydraParameters
        Parameters of the training.
    progress : Progress
        Counts micrographs.
    n_sets : int
        Number of data sets of the training, which share the time for validations.
    """

    def __init__(
        self,
        asked: LearningInput,
        parameters: HydraParameters,
        progress: Progress,
        *,
        n_sets: int,
    ) -> None:
        self._parameters = parameters
        self.data: LearningData = collect(
            _with_pixels(asked, parameters.architecture), progress
        )
        self.name = asked.set_name
        self.view = ParticleAppearance(
            particle_diameter_A=asked.particle_diameter_A,
            are_particles_dark=self.data.are_particles_dark(),
            normalisation=asked.normalisation,
        )
        share = min(_VALIDATED_PIXELS_OF_A_SET, _VALIDATED_PIXELS // n_sets)
        self._parts = self._cut_parts(share)

    @property
    def n_labels(self) -> int:
        """Number of particles for training."""
        return sum(len(self.data.labels[name]) for name in self.data.learnt)

    def crops(self) -> Crops:
        """Return the training set for the card."""
        pixel_size = self.data.asked.pixel_size_A
        images = [
            DetectionImage(
                self.view.flatten(self.data.prepared[name].image, pixel_size),
                self.data.positives(name),
                self._zoom(),
            )
            for name in self.data.learnt
        ]
        return Crops(
            images,
            self._parameters.architecture,
            size_jitter=self._parameters.size_jitter,
            noise=self._parameters.noise,
            filtering=self._parameters.filtering,
        )

    def find(self, detector: HydraDetector) -> DetectionsWithTruth:
        """Return the detections on held-out micrographs."""
        picker = HydraPicker(detector, self.view)
        radius = MATCH_RADIUS * self.data.asked.box_size
        found, truth = {}, {}
        for name, (part, true) in self._parts.items():
            found[name] = _scaled(picker.find(part), 1 / radius)
            truth[name] = _scaled(true, 1 / radius)
        return DetectionsWithTruth(found, truth)

    def _zoom(self) -> float:
        asked, architecture = self.data.asked, self._parameters.architecture
        wanted = asked.particle_diameter_A / architecture.particle_px
        return asked.pixel_size_A / wanted

    def _cut_parts(
        self, n_pixels: int
    ) -> dict[str, tuple[RescaledMicrograph, ScoredCoordinates]]:
        """Return a part of each held-out micrograph, as large as time allows."""
        names = sorted(self.data.held_out)[:_VALIDATED_MICROGRAPHS]
        side = int((n_pixels / max(1, len(names))) ** 0.5 / self._zoom())
        parts = {}
        for name in names:
            whole = self.data.prepared[name]
            image = whole.image[:side, :side]
            inside = (self.data.positives(name) < np.array(image.shape) - 0.5).all(1)
            rescaled = self.view.rescale(
                PreparedMicrograph(image, whole.grid),
                self.data.asked.pixel_size_A,
                self._parameters.architecture.particle_px,
            )
            parts[name] = rescaled, self.data.labels[name].take(inside)
        return parts


def collect_sets(
    asked: Sequence[LearningInput], parameters: HydraParameters, progress: Progress
) -> list[HydraSet]:
    """Read the data sets of a training.

    Raises
    ------
    ValueError
        If there is none, or names are not unique, or one is that of the general head.
    """
    names = [each.set_name for each in asked]
    if not names or len({*names, GENERAL}) != len(names) + 1:
        raise ValueError(
            f"expected data sets of different names, none of them {GENERAL!r}, "
            f"received {names}"
        )
    return [HydraSet(each, parameters, progress, n_sets=len(asked)) for each in asked]


def _with_pixels(
    asked: LearningInput, architecture: HydraArchitecture
) -> LearningInput:
    """Return the input at the pixel size of the network, or at its own if larger."""
    wanted = asked.particle_diameter_A / architecture.particle_px
    return replace(asked, pixel_size_A=max(wanted, asked.micrographs[0].sampling_rate))


def _scaled(picks: ScoredCoordinates, factor: float) -> ScoredCoordinates:
    return ScoredCoordinates(picks.yx * factor, picks.scores)
