# SPDX-License-Identifier: GPL-3.0-or-later
"""Places that the general model takes for particles, whoever picked them."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.null_control.comparison import NullComparison
from deepconsensus_plugin.core.pickers.populations.log_odds import fit_particle_mixture
from deepconsensus_plugin.core.types import ScoredCoordinates

logger = logging.getLogger(__name__)


def find_likely_particles(
    peaks: Path, null: Path, *, scale: float = 1.0
) -> dict[str, ScoredCoordinates]:
    """Return the maxima of the general model above its own threshold.

    Parameters
    ----------
    peaks : Path
        File of all maxima that the witness job wrote; it may be missing.
    null : Path
        File of the comparison with noise of the same job; it may be missing.
    scale : float
        Number of pixels to give per pixel of the file.

    Returns
    -------
    dict of micrograph name to ScoredCoordinates
        Empty where the model was not asked, where it finds no more on this
        sample than on noise, or where its scores do not separate particles from
        background.
    """
    if not peaks.is_file():
        return {}
    if null.is_file() and not (compared := NullComparison.read(null)).has_evidence:
        logger.info("General model: %s", compared.describe())
        return {}
    found = read_coordinates(peaks)
    scores = np.concatenate([np.zeros(0), *(each.scores for each in found.values())])
    separated = fit_particle_mixture(scores)
    if separated is None:
        logger.info("General model: its scores do not separate particles here")
        return {}
    threshold = separated.find_threshold(scores)
    kept = {name: x.take(x.scores >= threshold) for name, x in found.items()}
    logger.info(
        "General model: %d places look like particles", sum(map(len, kept.values()))
    )
    return {
        name: ScoredCoordinates(each.yx * scale, each.scores)
        for name, each in kept.items()
    }
