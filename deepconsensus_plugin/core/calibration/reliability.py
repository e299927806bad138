# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected reliability of pickers from their votes alone, before any training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deepconsensus_plugin.core.calibration.evidence import Evidence
from deepconsensus_plugin.core.calibration.fusion import fuse
from deepconsensus_plugin.core.calibration.grounds import Grounds, find_objection
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.types import IntArray

ENOUGH_CANDIDATES = 5_000
"""Number of candidates that determines figures to 0.01; more would take minutes."""


def estimate_reliability(
    candidates: Candidates,
    shapes: Mapping[str, tuple[int, int]],
    *,
    seed: int = 1,
    n_resamples: int = 50,
) -> CalibrationReport:
    """Return the expected reliability of the pickers, from their votes and scores.

    Parameters
    ----------
    candidates : Candidates
        Candidates of two pickers or more that found something (`can_fuse`). Of large
        sets, whole micrographs drawn at random, as many as hold `ENOUGH_CANDIDATES`.
    shapes : mapping of micrograph name to (rows, columns)
        Pixels.
    seed : int
        Seed of that draw and of the bootstrap; >= 0.
    n_resamples : int
        Number of resamples of the bootstrap; 0 gives no intervals.

    Raises
    ------
    ValueError
        If there is no candidate.
    """
    rng = np.random.default_rng(seed)
    some = candidates.take(_rows_of_some_micrographs(candidates, rng))
    fusion = fuse(Evidence.of_candidates(some), rng=rng, n_resamples=n_resamples)
    report = CalibrationReport.of(fusion, some, seed=seed)
    grounds = Grounds(some, shapes=shapes, separation=fusion.separation)
    return report.withheld(find_objection(grounds))


def _rows_of_some_micrographs(
    candidates: Candidates, rng: np.random.Generator
) -> IntArray:
    counts = np.bincount(
        candidates.micrograph_index, minlength=len(candidates.micrographs)
    )
    order = rng.permutation(len(counts))
    n_before = np.cumsum(counts[order]) - counts[order]
    chosen = order[n_before < ENOUGH_CANDIDATES]
    return np.flatnonzero(np.isin(candidates.micrograph_index, chosen))
