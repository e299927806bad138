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
from deepconsensus_plugin.core.null_control.comparison import NullComparison
from deepconsensus_plugin.core.pickers.populations.score_calibration import (
    ScoreCalibration,
)
from deepconsensus_plugin.core.pipeline.particle_numbers import ParticleNumbers
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.core.usable_area.parameters import AVOID_CONTAMINATION


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
        Folder for all maxima of each micrograph.
    result : Path
        HDF5 file of picks to write.
    threshold : float, optional
        Lowest log-odds of a pick. Default, in this order: the threshold that gives the
        expected number; for a sample unknown to the model, what `ParticleNumbers`
        tells: that which separates the populations of scores, or which gives the
        number of particles; the best threshold of the validation; 0.
    n_expected : int, optional
        Expected number of picks.
    known : Path, optional
        File of known coordinates; other picks are counted and written separately.
    missed : Path, optional
        HDF5 file to write of the picks that were not known.
    known_radius_px : float
        Distance within which a pick counts as a known coordinate, pixels.
    workers : int
        Threads that read and prepare micrographs.
    options : dataclass, optional
        Options of the model's method (`core.methods.Method.options`).
    avoid_contamination : bool
        Whether maxima on carbon, ice and the like are left out before the threshold is
        found; those in padding and where there is no signal always are.
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
    avoid_contamination: bool = field(default=True, metadata=AVOID_CONTAMINATION)

    @property
    def masks(self) -> Path:
        """Folder of the masks of the micrographs."""
        return masks_beside(self.found)


def masks_beside(found: Path) -> Path:
    """Return the folder of the masks, beside that of the maxima."""
    return found.with_name("masks")


class ThresholdOrigin(enum.Enum):
    """Origin of the threshold of picks; results hold the values."""

    GIVEN = "given"
    EXPECTED = "as many as expected"
    COUNTED = "as many as pickers without training count"
    BETWEEN = "as many as scores and pickers without training tell, on average"
    SCORES = "where particles part from background in all scores"
    VALIDATION = "best on what training held out"
    UNKNOWN = "a probability of one half"

    def describe(self) -> str:
        """Return where the threshold comes from, to follow "Threshold:"."""
        return {
            ThresholdOrigin.GIVEN: "given",
            ThresholdOrigin.EXPECTED: "the expected number of particles",
            ThresholdOrigin.COUNTED: "the number of picks of pickers without training",
            ThresholdOrigin.BETWEEN: "the geometric mean of the numbers that the "
            "model's scores and pickers without training tell",
            ThresholdOrigin.SCORES: "the gap between the particle and background "
            "score distributions",
            ThresholdOrigin.VALIDATION: "the best one on held-out micrographs",
            ThresholdOrigin.UNKNOWN: "a probability of 0.5",
        }[self]


@dataclass(frozen=True)
class NetworkPickResult:
    """Result of picking with a trained model.

    Parameters
    ----------
    coordinates : Path
        File of `core.io.tables.write_coordinates`, every micrograph in it; scores are
        log-odds.
    n_found, n_picks : int
        On usable area, before and after the threshold.
    threshold : float
        The one used.
    expected_precision, expected_missed_precision : float
        Expected precision of all picks, and of those that were not known; NaN where it
        is unknown.
    expected_recall : float
        Expected share of the particles that are picked; NaN where it is unknown.
    numbers : ParticleNumbers, optional
        Number of particles, where the model was not trained on the sample and the null
        control finds evidence for particles.
    null : NullComparison, optional
        What the model finds on a few micrographs and on their nulls; None where it
        finds nothing.
    why : str, optional
        Why nothing is expected of the picks, one sentence.
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
    expected_recall: float = math.nan
    numbers: ParticleNumbers | None = None
    null: NullComparison | None = None
    why: str | None = None
    timings: dict[str, StageCost] = field(default_factory=dict)
