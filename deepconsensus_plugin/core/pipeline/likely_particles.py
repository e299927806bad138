# SPDX-License-Identifier: GPL-3.0-or-later
"""Maxima of the general model on a sample, and those that it takes for particles."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.null_control.comparison import NullComparison
from deepconsensus_plugin.core.pickers.populations.log_odds import (
    ParticleScores,
    fit_particle_mixture,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class SeparatedMaxima:
    """Maxima of the general model whose scores separate particles from background.

    Parameters
    ----------
    found : dict of micrograph name to ScoredCoordinates
        All of them, log-odds.
    mixture : ParticleScores
        Mixture of their scores.
    """

    found: dict[str, ScoredCoordinates]
    mixture: ParticleScores


def separate_maxima(peaks: Path, null: Path) -> SeparatedMaxima | None:
    """Return the maxima of the general model if they tell particles on this sample.

    Parameters
    ----------
    peaks : Path
        File of all maxima that the witness job wrote; it may be missing.
    null : Path
        File of the comparison with noise of the same job; it may be missing.

    Returns
    -------
    SeparatedMaxima or None
        None where the model was not asked, where it finds no more than on noise, or
        where its scores do not separate particles from background.
    """
    if not peaks.is_file():
        return None
    if null.is_file() and not (compared := NullComparison.read(null)).has_evidence:
        logger.info("General model: %s", compared.describe())
        return None
    found = read_coordinates(peaks)
    mixture = fit_particle_mixture(
        np.concatenate([np.zeros(0), *(each.scores for each in found.values())])
    )
    if mixture is None:
        logger.info("General model: its scores do not separate particles here")
        return None
    return SeparatedMaxima(found, mixture)


def find_likely_particles(
    peaks: Path, null: Path, *, scale: float = 1.0
) -> dict[str, ScoredCoordinates]:
    """Return the maxima of the general model above its own threshold.

    Parameters
    ----------
    peaks, null
        As for `separate_maxima`.
    scale : float
        Number of pixels to give per pixel of the files.

    Returns
    -------
    dict of micrograph name to ScoredCoordinates
        Empty where `separate_maxima` gives none.
    """
    separated = separate_maxima(peaks, null)
    if separated is None:
        return {}
    found = separated.found
    scores = np.concatenate([each.scores for each in found.values()])
    threshold = separated.mixture.find_threshold(scores)
    kept = {name: x.take(x.scores >= threshold) for name, x in found.items()}
    logger.info(
        "General model: %d places look like particles", sum(map(len, kept.values()))
    )
    return {
        name: ScoredCoordinates(each.yx * scale, each.scores)
        for name, each in kept.items()
    }
