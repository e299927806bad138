# SPDX-License-Identifier: GPL-3.0-or-later
"""Job that picks without training: peaks of every micrograph, then one threshold.

The peaks of each micrograph are kept in a file named by a digest of their inputs. An
interrupted run therefore resumes, and a change of the threshold takes seconds.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.execution import Progress, StageCost
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.limits import Count
from deepconsensus_plugin.core.null_control.comparison import NullComparison
from deepconsensus_plugin.core.pickers.classical.learnt_profile import learn_profile
from deepconsensus_plugin.core.pickers.classical.parameters import PickParameters
from deepconsensus_plugin.core.pickers.populations.score_threshold import (
    find_threshold,
    find_upper_threshold,
)
from deepconsensus_plugin.core.pipeline.classical_peaks import (
    KeptPeaks,
    compare_with_nulls,
    find_all_peaks,
)
from deepconsensus_plugin.core.pipeline.peak_choice import choose_peaks
from deepconsensus_plugin.core.types import FloatArray, Micrograph

logger = logging.getLogger(__name__)

_HALF = 0.5
"""Share of peaks in excess of the null at the threshold that the null gives."""


@dataclass(frozen=True)
class PickRequest(Declared):
    """Request to pick micrographs with a classical picker.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Micrographs of one sampling rate.
    parameters : PickParameters
        Parameters of the picker.
    peaks : Path
        Folder of the peaks of each micrograph.
    result : Path
        HDF5 file of coordinates to write.
    workers : int
        Number of threads.
    """

    micrographs: tuple[Micrograph, ...]
    parameters: PickParameters
    peaks: Path
    result: Path
    threshold: float | None = field(
        default=None,
        metadata=declare(
            "Minimum score",
            "Peaks with this score or a higher one become picks. Scores of "
            "difference of Gaussians are in standard deviations of the filtered "
            "micrograph; scores of correlation go from 0 to 1. Changing it takes "
            "seconds (*Continue*), since peaks are kept.",
            auto="the gap between the particle and background score distributions of "
            "all micrographs, if there is one",
            is_expert=True,
        ),
    )
    upper_threshold: float | None = field(
        default=None,
        metadata=declare(
            "Maximum score",
            "Peaks with a higher score are left out, since gold, ice and "
            "aggregates have more contrast than particles.",
            auto="from the score distribution for difference of Gaussians, if carbon "
            "and ice are avoided; no maximum for correlation",
            is_expert=True,
        ),
    )
    leave_out_filaments: bool = field(
        default=False,
        metadata=declare(
            "Leave out filaments",
            "*Yes*: picks in straight rows, with none beside them, are left out. "
            "Filaments are out of reach of this picker: it places boxes along them "
            "where it likes. The summary counts them in any case.",
            is_expert=True,
        ),
    )
    workers: Count = 2

    def conflicts(self) -> list[str]:
        """Return the problem of a maximum score below the minimum."""
        low, high = self.threshold, self.upper_threshold
        if low is None or high is None or low <= high:
            return []
        return ["Maximum score: it must not be below the minimum score"]


@dataclass(frozen=True)
class PickResult:
    """Result of picking with a classical picker.

    Parameters
    ----------
    coordinates : Path
        File of `core.io.tables.write_coordinates`, every micrograph in it.
    n_peaks, n_picks : int
        Number of peaks, and of those between the thresholds.
    threshold : float
        Lowest score of a pick.
    upper_threshold : float, optional
        Highest score of a pick, if it was limited.
    is_separated : bool
        Whether the scores separate particles from background. If not, and neither a
        threshold was given nor the null tells one, every peak is a pick.
    profile : list of float
        Learnt profile at radii of 0, 1, … binned pixels; empty if none was learnt.
    is_from_null : bool
        Whether the threshold is the score from which half of the peaks are in excess
        of the null, since scores do not separate.
    null : NullComparison, optional
        What is found on a few micrographs and on their nulls; None without peaks.
    n_in_rows : int
        Picks in straight rows that nothing lies beside, as on filaments; they are not
        among the picks where they were to be left out.
    timings : dict of StageCost
        Time and memory by stage.
    """

    coordinates: Path
    n_peaks: int
    n_picks: int
    threshold: float
    upper_threshold: float | None
    is_separated: bool
    profile: list[float]
    is_from_null: bool = False
    null: NullComparison | None = None
    n_in_rows: int = 0
    timings: dict[str, StageCost] = field(default_factory=dict)


def run(request: PickRequest, progress: Progress) -> PickResult:
    """Carry out a `PickRequest`.

    Raises
    ------
    ValueError
        If there is no micrograph, or they differ in sampling rate.
    """
    _check(request)
    request.peaks.mkdir(parents=True, exist_ok=True)
    profile = _learn(request, progress)
    kept = KeptPeaks(request.peaks, request.parameters, profile)
    some, workers = request.micrographs, request.workers
    peaks = find_all_peaks(kept, some, progress, workers=workers)
    null = compare_with_nulls(kept, some, peaks, progress, workers=workers)
    scores = np.concatenate([found.scores for found in peaks.values()])
    separating = find_threshold(scores)
    above_null = _above_null(request, separating, null)
    threshold = _threshold(request, separating, above_null, n_peaks=len(scores))
    upper = request.upper_threshold
    if upper is None and request.parameters.tells_contamination and threshold > 0:
        upper = find_upper_threshold(scores[scores >= threshold])
    picks, n_in_rows = choose_peaks(
        {each.name: peaks[each.name] for each in some},
        threshold=threshold,
        upper_threshold=upper,
        spacing_px=request.parameters.mean_diameter_A / some[0].sampling_rate,
        leave_out_rows=request.leave_out_filaments,
    )
    write_coordinates(request.result, picks)
    n_picks = sum(map(len, picks.values()))
    logger.info(
        "%d of %d peaks scored %g to %s", n_picks, len(scores), threshold, upper
    )
    return PickResult(
        coordinates=request.result,
        n_peaks=len(scores),
        n_picks=n_picks,
        threshold=threshold,
        upper_threshold=upper,
        is_separated=separating is not None,
        is_from_null=above_null is not None,
        profile=[] if profile is None else profile.tolist(),
        null=null,
        n_in_rows=n_in_rows,
        timings=progress.timings,
    )


def _above_null(
    request: PickRequest, separating: float | None, null: NullComparison | None
) -> float | None:
    """Return the score from which half of the peaks are in excess of the null.

    None where it is not needed, or where the picker itself finds no evidence.
    """
    if request.threshold is not None or separating is not None or null is None:
        return None
    is_own = null.scorer == request.parameters.method.value
    return null.threshold_for(_HALF) if is_own and null.has_evidence else None


def _threshold(
    request: PickRequest,
    separating: float | None,
    above_null: float | None,
    *,
    n_peaks: int,
) -> float:
    """Return the lowest score of a pick: as requested, as found, or 0 for all."""
    if request.threshold is not None:
        return request.threshold
    if separating is None:
        separating = above_null
    if separating is None:
        logger.warning(
            "The scores of %d peaks do not separate particles from background, so all "
            "of them are picks. Look at the picks, and choose a minimum score",
            n_peaks,
        )
        return 0.0
    return separating


def _check(request: PickRequest) -> None:
    if not request.micrographs:
        raise ValueError("expected micrographs to pick, received none")
    rates = {micrograph.sampling_rate for micrograph in request.micrographs}
    if len(rates) > 1:
        raise ValueError(
            "expected micrographs of one sampling rate, received "
            f"{', '.join(f'{rate:g}' for rate in sorted(rates))} Å/px"
        )


def _learn(request: PickRequest, progress: Progress) -> FloatArray | None:
    """Return the learnt profile; None if the method learns none."""
    if not request.parameters.is_learnt:
        return None
    with progress.stage("learn profile", 1) as advance:
        profile = learn_profile(
            request.micrographs, request.parameters, workers=request.workers
        )
        advance(1)
    return profile
