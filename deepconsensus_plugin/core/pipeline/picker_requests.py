# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be asked of trained pickers: to learn, and to pick; and what comes of it.

They cross the process border as JSON (`core.jobs`), so they hold numbers, names and
paths only, and importing them does not import Keras.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from pathlib import Path

from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.parameters import Checkpoint
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraChoices
from deepconsensus_plugin.core.pickers.normalisation import Normalisation
from deepconsensus_plugin.core.pickers.score_calibration import ScoreCalibration
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters
from deepconsensus_plugin.core.pickers.validation import PickerValidation
from deepconsensus_plugin.core.types import Micrograph


@dataclass(frozen=True)
class LearningInput:
    """Micrographs and labels that a picker is to learn from.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Of one sampling rate; those with labels are learnt from.
    labels : Path
        File of `core.io.tables.write_coordinates`: some of the particles, or all.
    set_name : str
        Of the labels, for the card.
    box_size : int
        Pixels of the micrographs.
    particle_diameter_A : float
        Longest diameter, Å.
    pixel_size_A : float
        That the network looks at, Å/px; those of the micrographs or larger.
    n_particles : float, optional
        Particles of a micrograph, labelled or not, on average. Default: told by a
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
class TopazTrainRequest:
    """Train a Topaz picker.

    Parameters
    ----------
    learnt : LearningInput
        Micrographs and labels.
    parameters : TopazParameters
        How to train.
    model : Path
        Model folder to write.
    """

    learnt: LearningInput
    parameters: TopazParameters
    model: Path


@dataclass(frozen=True)
class PickerTrainResult:
    """What the training of a picker came to.

    Parameters
    ----------
    model : Path
        Model folder.
    n_micrographs, n_labels : int
        What it learnt from.
    validation : PickerValidation, optional
        On micrographs held out.
    history : list of list of Checkpoint
        How it got there; of the one network there is.
    timings : dict of StageCost
        By stage.
    """

    model: Path
    n_micrographs: int
    n_labels: int
    validation: PickerValidation | None
    history: list[list[Checkpoint]] = field(default_factory=list)
    timings: dict[str, StageCost] = field(default_factory=dict)


@dataclass(frozen=True)
class NetworkPickRequest:
    """Pick micrographs with a trained model.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Where to pick.
    model : Path
        Model folder.
    found : Path
        Folder for what is found on each micrograph, whatever its score.
    result : Path
        HDF5 file of picks to write.
    threshold : float, optional
        Log-odds from which what is found is a pick. Default: that of as many as are
        expected, or found in the scores, where they show particles and background
        apart; else, of a sample that the model does not know, that of as many as
        pickers without training find; else the training's best, or 0.
    n_expected : int, optional
        Picks that there should be.
    known : Path, optional
        File of coordinates: picks elsewhere are counted and written by themselves.
    missed : Path, optional
        HDF5 file of those to write.
    known_radius_px : float
        Picks this close to a known coordinate are known; pixels.
    workers : int
        Threads that read and prepare micrographs.
    hydra : HydraChoices
        Head, diameter and contrast, where the model is a HydraPicker.
    """

    micrographs: tuple[Micrograph, ...]
    model: Path
    found: Path
    result: Path
    threshold: float | None = None
    n_expected: int | None = None
    known: Path | None = None
    missed: Path | None = None
    known_radius_px: float = 0.0
    workers: int = 2
    hydra: HydraChoices = field(default_factory=HydraChoices)


class ThresholdOrigin(enum.Enum):
    """What told the threshold of picks; values are words for users."""

    GIVEN = "given"
    EXPECTED = "as many as expected"
    COUNTED = "as many as pickers without training count"
    SCORES = "where particles part from background in all scores"
    VALIDATION = "best on what training held out"
    UNKNOWN = "a probability of one half"


@dataclass(frozen=True)
class NetworkPickResult:
    """What picking came to.

    Parameters
    ----------
    coordinates : Path
        File of `core.io.tables.write_coordinates`, every micrograph in it; scores are
        log-odds.
    n_found, n_picks : int
        Before and after the threshold.
    threshold : float
        The one used.
    expected_precision, expected_missed_precision : float
        Of all picks, and of those that were not known; NaN where it cannot be told.
    n_missed : int
        Picks that were not known.
    calibration : ScoreCalibration
        Which probability goes with which log-odds.
    origin : ThresholdOrigin
        What told the threshold.
    timings : dict of StageCost
        By stage.
    """

    coordinates: Path
    n_found: int
    n_picks: int
    threshold: float
    expected_precision: float
    n_missed: int = 0
    expected_missed_precision: float = math.nan
    calibration: ScoreCalibration = field(default_factory=ScoreCalibration)
    origin: ThresholdOrigin = ThresholdOrigin.GIVEN
    timings: dict[str, StageCost] = field(default_factory=dict)
