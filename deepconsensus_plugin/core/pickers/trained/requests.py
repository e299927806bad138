# SPDX-License-Identifier: GPL-3.0-or-later
"""Input and result of every picker's training, as they stand in job files.

They cross the process border as JSON (`core.jobs`), so they hold numbers, names and
paths only, and importing them does not import Keras.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.networks.history import Checkpoint
from deepconsensus_plugin.core.pickers.trained.normalisation import Normalisation
from deepconsensus_plugin.core.pickers.trained.validation import PickerValidation
from deepconsensus_plugin.core.types import Micrograph


@dataclass(frozen=True)
class LearningInput:
    """Micrographs and labels that a picker is to learn from.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Micrographs of one sampling rate; those with labels are learnt from.
    labels : Path
        File of `core.io.tables.write_coordinates`: some of the particles, or all.
    set_name : str
        Name of the set of labels, for the card.
    box_size : int
        Pixels of the micrographs.
    particle_diameter_A : float
        Longest diameter, Å.
    pixel_size_A : float
        That the network looks at, Å/px; those of the micrographs or larger.
    n_particles : float, optional
        Particles per micrograph, labelled or not, on average. Default: estimated by a
        picker without training, and by validation.
    negatives : Path, optional
        The same kind of file: places known to be no particles.
    normalisation : Normalisation
        How micrographs come to one scale of grey.
    max_micrographs : int
        Micrographs that are learnt from, and kept in memory, at most.
    validation_fraction : float
        Share of the labels, on whole micrographs, kept for validation.
    seed : int
        Draws the micrographs, and those held out.
    workers : int
        Threads.
    """

    micrographs: tuple[Micrograph, ...]
    labels: Path
    set_name: str
    box_size: int
    particle_diameter_A: float
    pixel_size_A: float
    n_particles: float | None = None
    negatives: Path | None = None
    normalisation: Normalisation = Normalisation.STANDARD
    max_micrographs: int = 500
    validation_fraction: float = 0.2
    seed: int = 1
    workers: int = 2


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
