# SPDX-License-Identifier: GPL-3.0-or-later
"""Fusion of votes and scores to probabilities, and its report."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.calibration import Evidence, fuse
from deepconsensus_plugin.core.calibration.report import CalibrationReport, write_report
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.arrays import write_array
from deepconsensus_plugin.core.pipeline.feedback_file import FeedbackFile
from deepconsensus_plugin.core.pipeline.fusion_grounds import FusionContext
from deepconsensus_plugin.core.pipeline.refit import refit_with_file
from deepconsensus_plugin.core.types import FloatArray


def can_fuse(candidates: Candidates) -> bool:
    """Return whether at least two pickers found something that can be judged.

    The votes of a single picker do not determine its precision, and ranks of scores
    have no absolute level; the network's own score is then used.
    """
    found = candidates.found[candidates.can_be_judged]
    return int(found.any(axis=0).sum()) > 1


def fuse_scores(
    candidates: Candidates,
    network_score: FloatArray,
    opinion: FloatArray | None = None,
    amplitude: FloatArray | None = None,
    *,
    seed: int,
    context: FusionContext | None = None,
    progress: Progress | None = None,
) -> tuple[FloatArray, CalibrationReport]:
    """Return the probability that each candidate is a particle, and the verdict.

    Parameters
    ----------
    candidates : Candidates
        n, of which `can_fuse` is true. Those on bad micrographs are not looked at.
    network_score : array, shape (n,)
        Mean over the networks; NaN where there is none.
    opinion : array, shape (n,), optional
        What the general model tells (`witness_opinion.find_opinion`).
    amplitude : array, shape (n,), optional
        How much of an aligned average each holds (`averages.table.read_amplitude`).
    seed : int
        Seed of the bootstrap that gives the intervals; >= 0.
    context : FusionContext, optional
        What else tells whether figures may be expected.
    progress : Progress, optional
        Receives the progress.

    Returns
    -------
    array, shape (n,)
        Probabilities, 0 - 1; NaN on bad micrographs.
    CalibrationReport
        Expected figures of pickers and set.
    """
    is_judged = candidates.can_be_judged
    rows = slice(None) if is_judged.all() else np.flatnonzero(is_judged)
    judged = candidates.take(rows) if isinstance(rows, np.ndarray) else candidates
    told = (None if each is None else each[rows] for each in (opinion, amplitude))
    fusion = fuse(
        Evidence.of_candidates(judged, network_score[rows], *told),
        rng=np.random.default_rng(seed),
        progress=progress,
    )
    probability = np.full(len(candidates), np.nan)
    probability[rows] = fusion.probability
    context = context or FusionContext()
    report = context.report(fusion, judged, network_score[rows], probability, seed=seed)
    return probability, report


def keep_fused(
    candidates: Candidates,
    network_score: FloatArray,
    opinion: FloatArray | None = None,
    amplitude: FloatArray | None = None,
    *,
    seed: int | None,
    score: Path,
    calibration: Path,
    context: FusionContext | None = None,
    progress: Progress | None = None,
    feedback: FeedbackFile | None = None,
) -> CalibrationReport | None:
    """Write the scores that a threshold applies to, and the report if there is one.

    Parameters
    ----------
    candidates, network_score, opinion, amplitude
        As `fuse_scores` takes them; `can_fuse` may be false.
    seed : int, optional
        See `fuse_scores`. None: nothing is combined.
    score : Path
        ``.npy`` file to write: probabilities, or else the network's own score; NaN on
        bad micrographs.
    calibration : Path
        File of the report; one of an earlier run is removed.
    context, progress : optional
        As `fuse_scores` takes them.
    feedback : FeedbackFile, optional
        Labels that correct the probabilities (`core.pipeline.refit`).

    Returns
    -------
    CalibrationReport or None
        None where the score is the network's own.
    """
    calibration.unlink(missing_ok=True)
    report = None
    if seed is not None and can_fuse(candidates):
        told = (candidates, network_score, opinion, amplitude)
        network_score, report = fuse_scores(
            *told, seed=seed, context=context, progress=progress
        )
        if feedback is not None:
            network_score, report = refit_with_file(
                *told,
                before=network_score,
                feedback=feedback,
                seed=seed,
                context=context,
            )
        write_report(calibration, report)
    write_array(score, np.where(candidates.can_be_judged, network_score, np.nan))
    return report
