# SPDX-License-Identifier: GPL-3.0-or-later
"""Input and result of every picker's training, as they stand in job files.

They cross the process border as JSON (`core.jobs`), so they hold numbers, names and
paths only, and importing them does not import Keras.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.limits import Count, Seed, Side
from deepconsensus_plugin.core.networks.history import Checkpoint
from deepconsensus_plugin.core.pickers.trained.normalisation import Normalisation
from deepconsensus_plugin.core.pickers.trained.prepared import PIXELS_PER_DIAMETER
from deepconsensus_plugin.core.pickers.trained.validation import PickerValidation
from deepconsensus_plugin.core.types import Micrograph


@dataclass(frozen=True)
class LearningInput(Declared):
    """Micrographs and labels that a picker is to learn from.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Micrographs of one sampling rate; those with labels are used for training.
    labels : Path
        File of `core.io.tables.write_coordinates`: some of the particles, or all.
    set_name : str
        Name of the set of labels, for the card.
    box_size : int
        Pixels of the micrographs.
    negatives : Path, optional
        File of the same kind: places known not to be particles.
    seed : int
        Seed of the choice of micrographs, and of those held out.
    workers : int
        Threads.
    """

    micrographs: tuple[Micrograph, ...]
    labels: Path
    set_name: str
    box_size: Side
    particle_diameter_A: float = field(
        metadata=declare(
            "Particle diameter",
            "Longest diameter of the particle.",
            unit="Å",
            auto="two thirds of the box size of the particles",
            gt=0,
        )
    )
    pixel_size_A: float = field(
        metadata=declare(
            "Pixel size for the network",
            "Micrographs are downsampled to this pixel size before the network "
            "sees them.",
            unit="Å/px",
            auto=f"the diameter becomes {PIXELS_PER_DIAMETER} pixels; pixels never "
            "become smaller than they are",
            is_expert=True,
            gt=0,
        )
    )
    n_particles: float | None = field(
        default=None,
        metadata=declare(
            "Expected particles per micrograph",
            "Mean number of particles on a micrograph, labelled or not. An error "
            "of a factor of 1.5 does not harm the training.",
            auto="the number found by correlation with a profile learnt from the "
            "micrographs",
            gt=0,
        ),
    )
    negatives: Path | None = None
    normalisation: Normalisation = field(
        default=Normalisation.STANDARD,
        metadata=declare(
            "Normalisation",
            "*mean and deviation*: each micrograph is scaled to mean 0 and "
            "standard deviation 1.\n"
            "*common mixture*: two Gaussians, for ice and for darker areas, are "
            "fitted to all micrographs, each with its scale, as published for "
            "Topaz; for raw exposures.\n"
            "*mixture per micrograph*: the two Gaussians are fitted to each "
            "micrograph.",
            is_expert=True,
        ),
    )
    max_micrographs: int = field(
        default=500,
        metadata=declare(
            "Maximum micrographs",
            "If more micrographs have labels than this number, a random subset of "
            "that size is used.",
            is_expert=True,
            ge=1,
        ),
    )
    validation_fraction: float = field(
        default=0.2,
        metadata=declare(
            "Validation fraction",
            "Fraction of the labels that is held out, on whole micrographs. The "
            "best weights and the thresholds are chosen on them.",
            ge=0,
            le=0.5,
        ),
    )
    seed: Seed = 1
    workers: Count = 2


@dataclass(frozen=True)
class PickerTrainResult:
    """Result of the training of a picker.

    Parameters
    ----------
    model : Path
        Model folder.
    n_micrographs, n_labels : int
        Micrographs and labels that it was trained on.
    validation : PickerValidation, optional
        On micrographs held out.
    history : list of list of Checkpoint
        Training history of the one network.
    timings : dict of StageCost
        By stage.
    """

    model: Path
    n_micrographs: int
    n_labels: int
    validation: PickerValidation | None
    history: list[list[Checkpoint]] = field(default_factory=list)
    timings: dict[str, StageCost] = field(default_factory=dict)
