# SPDX-License-Identifier: GPL-3.0-or-later
"""Request to pick with a trained model, and its result."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepconsensus_plugin.core.declared import Declared
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.limits import Count, NotNegative, NotNegativeInt
from deepconsensus_plugin.core.pickers.populations.score_calibration import (
    ScoreCalibration,
)
from deepconsensus_plugin.core.types import Micrograph


@dataclass(frozen=True)
class NetworkPickRequest(Declared):
    """Request to pick micrographs with a trained model.

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
    options : dataclass, optional
        Choices that the model's method offers (`core.methods.Method.options`).
    """

    micrographs: tuple[Micrograph, ...]
    model: Path
    found: Path
    result: Path
    threshold: float | None = None
    n_expected: NotNegativeInt | None = None
    known: Path | None = None
    missed: Path | None = None
    known_radius_px: NotNegative = 0.0
    workers: Count = 2
    options: Any = None


class ThresholdOrigin(enum.Enum):
    """Origin of the threshold of picks; values are words for users."""

    GIVEN = "given"
    EXPECTED = "as many as expected"
    COUNTED = "as many as pickers without training count"
    SCORES = "where particles part from background in all scores"
    VALIDATION = "best on what training held out"
    UNKNOWN = "a probability of one half"


@dataclass(frozen=True)
class NetworkPickResult:
    """Result of picking with a trained model.

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
        Expected precision of all picks, and of those that were not known; NaN where it
        is unknown.
    n_missed : int
        Picks that were not known.
    calibration : ScoreCalibration
        Calibration curve from log-odds to probability.
    origin : ThresholdOrigin
        Origin of the threshold.
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
