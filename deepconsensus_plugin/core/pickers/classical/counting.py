# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimate of the number of particles per micrograph, without any label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.execution import map_ahead
from deepconsensus_plugin.core.pickers.classical.learnt_profile import learn_profile
from deepconsensus_plugin.core.pickers.classical.parameters import (
    PickMethod,
    PickParameters,
)
from deepconsensus_plugin.core.pickers.classical.picking import pick_micrograph
from deepconsensus_plugin.core.pickers.populations.score_threshold import find_threshold
from deepconsensus_plugin.core.types import FloatArray, Micrograph

_LOOKED_AT = 8
"""Number of micrographs, spread evenly over the set, for the estimate."""


@dataclass(frozen=True)
class ParticleCount:
    """Estimated number of particles per micrograph, on average.

    Parameters
    ----------
    number : float
        At least 0.
    is_separated : bool
        Whether a picker separated particles from background; if not, all such places
        are counted.
    """

    number: float
    is_separated: bool


def choose_counted(micrographs: Sequence[Micrograph]) -> list[Micrograph]:
    """Return the micrographs on which particles are counted: at most eight, spread."""
    chosen = np.linspace(0, len(micrographs) - 1, min(len(micrographs), _LOOKED_AT))
    return [micrographs[i] for i in chosen.round().astype(int)]


def estimate_particles(
    micrographs: Sequence[Micrograph],
    *,
    diameter_A: float,
    particles_dark: bool,
    workers: int,
) -> ParticleCount:
    """Return the mean number of particles per micrograph.

    It is the number of picks of the correlation with a learnt profile or, if its scores
    do not separate particles from background, of the difference of Gaussians.
    Objectives that need this number tolerate errors from −50 % to +50 % (Bepler et al.
    2018, supplementary figure 3).

    Parameters
    ----------
    micrographs : sequence of Micrograph
        At most eight of them, spread evenly, are read.
    diameter_A : float
        Diameter of the particle, Å.
    particles_dark : bool
        Whether particles are darker than their surroundings.
    workers : int
        Threads.
    """
    some = choose_counted(micrographs)
    n_peaks = 0
    for method in (PickMethod.CORRELATION, PickMethod.GAUSSIANS):
        parameters = PickParameters(
            diameter_A, method=method, particles_dark=particles_dark
        )
        scores = _peak_scores(some, parameters, workers)
        threshold = find_threshold(scores)
        if threshold is not None:
            n_picks = np.count_nonzero(scores >= threshold)
            return ParticleCount(n_picks / len(some), is_separated=True)
        n_peaks = len(scores)
    return ParticleCount(n_peaks / len(some), is_separated=False)


def _peak_scores(
    micrographs: Sequence[Micrograph], parameters: PickParameters, workers: int
) -> FloatArray:
    profile = None
    if parameters.is_learnt:
        profile = learn_profile(micrographs, parameters, workers=workers)
    found = map_ahead(
        lambda each: pick_micrograph(each, parameters, profile=profile),
        micrographs,
        workers=workers,
    )
    return np.concatenate([peaks.scores for peaks in found])
