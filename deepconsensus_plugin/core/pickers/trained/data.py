# SPDX-License-Identifier: GPL-3.0-or-later
"""Training data of pickers: prepared micrographs, labels and held-out micrographs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.digests import digest, digest_micrographs
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.networks.card import TrainingSet
from deepconsensus_plugin.core.pickers.classical.counting import estimate_particles
from deepconsensus_plugin.core.pickers.trained.prepared import (
    MicrographPreprocessing,
    PreparedMicrograph,
    prepare_to_learn,
)
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.core.pickers.trained.task_training import (
    hold_out,
    labelled_micrographs,
)
from deepconsensus_plugin.core.pickers.trained.validation import (
    PickerValidation,
    validate_picks,
)
from deepconsensus_plugin.core.types import FloatArray, Micrograph, ScoredCoordinates

logger = logging.getLogger(__name__)

MATCH_RADIUS = 0.25
"""Maximum distance of a pick from its label, in boxes."""

_INSIDE = 0.8
"""Side, in diameters, of the square whose mean decides whether particles are dark; the
centre of a hollow particle would mislead."""

_NO_PICKS = ScoredCoordinates.from_arrays([])


@dataclass(frozen=True, eq=False)
class LearningData:
    """Prepared micrographs with their labels.

    Parameters
    ----------
    asked : LearningInput
        Input that the data was prepared from.
    micrographs : tuple of Micrograph
        Micrographs with labels.
    prepared : dict of PreparedMicrograph
        Prepared micrographs, by name.
    preprocessing : MicrographPreprocessing
        Preprocessing of the micrographs.
    labels, negatives : mapping of micrograph name to ScoredCoordinates
        Labelled particles and known negatives, pixels of the micrographs.
    held_out : set of str
        Names of the micrographs for validation.
    """

    asked: LearningInput
    micrographs: tuple[Micrograph, ...]
    prepared: dict[str, PreparedMicrograph]
    preprocessing: MicrographPreprocessing
    labels: Mapping[str, ScoredCoordinates]
    negatives: Mapping[str, ScoredCoordinates]
    held_out: set[str]

    @property
    def learnt(self) -> list[str]:
        """Names of the micrographs to learn from."""
        return [name for name in self.prepared if name not in self.held_out]

    @property
    def labels_a_micrograph(self) -> float:
        """Mean number of labels per micrograph."""
        return float(np.mean([len(labels) for labels in self.labels.values()]))

    def positives(self, name: str) -> FloatArray:
        """Return the labelled particles of a micrograph in its prepared image."""
        return self.prepared[name].grid.from_micrograph(self.labels[name].yx)

    def known_negatives(self, name: str) -> FloatArray:
        """Return the known negatives of a micrograph in its prepared image."""
        known = self.negatives.get(name, _NO_PICKS)
        return self.prepared[name].grid.from_micrograph(known.yx)

    def are_particles_dark(self) -> bool:
        """Return whether labelled particles are darker than the background."""
        asked = self.asked
        side = max(1, round(_INSIDE * asked.particle_diameter_A / asked.pixel_size_A))
        means = [
            extract_boxes(prepared.image, self.positives(name), side).mean()
            for name, prepared in self.prepared.items()
        ]
        return float(np.mean(means)) < 0

    def count_particles(self, progress: Progress) -> float:
        """Return the number of particles per micrograph, as given or as estimated.

        It is at least the mean number of labels.
        """
        asked = self.asked
        if asked.n_particles is not None:
            return max(asked.n_particles, self.labels_a_micrograph)
        with progress.stage("count particles", 1) as count:
            found = estimate_particles(
                self.micrographs,
                diameter_A=asked.particle_diameter_A,
                particles_dark=self.are_particles_dark(),
                workers=asked.workers,
            ).number
            count(1)
        logger.info("About %.0f particles a micrograph", found)
        return max(found, self.labels_a_micrograph)

    def validate(
        self, find: Callable[[PreparedMicrograph], ScoredCoordinates]
    ) -> PickerValidation:
        """Return the validation of a picker on the held-out micrographs.

        Parameters
        ----------
        find : callable
            Returns scored places of a prepared micrograph, best first, in pixels of
            the micrograph.
        """
        n_particles = self.asked.n_particles
        return validate_picks(
            {name: find(self.prepared[name]) for name in sorted(self.held_out)},
            {name: self.labels[name] for name in sorted(self.held_out)},
            n_particles=n_particles and n_particles * len(self.held_out),
            radius_px=MATCH_RADIUS * self.asked.box_size,
        )

    def origin(self) -> str:
        """Return a digest of the inputs of the data."""
        asked = self.asked
        return digest(
            digest_micrographs(self.micrographs),
            *(labels.yx for labels in self.labels.values()),
            *(known.yx for known in self.negatives.values()),
            [asked.box_size, asked.particle_diameter_A, asked.pixel_size_A],
            [asked.normalisation.value, sorted(self.held_out)],
        )

    def training_sets(self) -> list[TrainingSet]:
        """Return the training sets for the card."""
        n_negatives = sum(len(self.known_negatives(name)) for name in self.learnt)
        n_labels = sum(len(self.labels[name]) for name in self.learnt)
        sets = [TrainingSet(self.asked.set_name, True, n_labels, 1.0)]
        if n_negatives:
            sets.append(TrainingSet("known negatives", False, n_negatives, 1.0))
        return sets


def collect(asked: LearningInput, progress: Progress) -> LearningData:
    """Read labels and micrographs, and hold out some of them at random.

    Raises
    ------
    ValueError
        If there is no label.
    IncompatibleModelError
        If the micrographs' pixels are larger than the requested ones.
    """
    labels = read_coordinates(asked.labels)
    micrographs = labelled_micrographs(
        asked.micrographs, labels, n_most=asked.max_micrographs, seed=asked.seed
    )
    with progress.stage("prepare", len(micrographs)) as count:
        preprocessing, prepared = prepare_to_learn(
            micrographs,
            pixel_size_A=asked.pixel_size_A,
            normalisation=asked.normalisation,
            workers=asked.workers,
            count=count,
        )
    names = [micrograph.name for micrograph in micrographs]
    return LearningData(
        asked=asked,
        micrographs=tuple(micrographs),
        prepared=dict(zip(names, prepared, strict=True)),
        preprocessing=preprocessing,
        labels={name: labels[name] for name in names},
        negatives=read_coordinates(asked.negatives) if asked.negatives else {},
        held_out=hold_out(
            micrographs, labels, fraction=asked.validation_fraction, seed=asked.seed
        ),
    )
