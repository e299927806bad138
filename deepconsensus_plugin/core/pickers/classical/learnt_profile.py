# SPDX-License-Identifier: GPL-3.0-or-later
"""Mean radial profile of the particles of a set, learnt without labels."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deepconsensus_plugin.core.execution import map_ahead
from deepconsensus_plugin.core.pickers.classical.correlation import (
    Reference,
    mean_profile,
    reference_profile,
)
from deepconsensus_plugin.core.pickers.classical.parameters import (
    PickMethod,
    PickParameters,
)
from deepconsensus_plugin.core.pickers.classical.picking import (
    prepare_micrograph,
    score_peaks,
)
from deepconsensus_plugin.core.pickers.classical.working_image import (
    WorkingImage,
)
from deepconsensus_plugin.core.pickers.populations.score_threshold import (
    find_threshold,
    separation,
)
from deepconsensus_plugin.core.types import FloatArray, Micrograph, ScoredCoordinates

logger = logging.getLogger(__name__)

_LEARNING_MICROGRAPHS = 8
"""Micrographs, spread evenly over the set, from which the profile is estimated."""

_ROUNDS = 10
_CONVERGED = 0.9995
"""Correlation of a profile with that of the round before."""


def learn_profile(
    micrographs: Sequence[Micrograph], parameters: PickParameters, *, workers: int
) -> FloatArray:
    """Return the mean radial profile of the particles, learnt without labels.

    The micrographs are picked, and the mean profile of the picks is the next reference,
    until it does not change. It thus includes the fringes that defocus adds to a
    particle. The result depends on the first reference: a disc may converge to a
    particle's bright fringe, a difference of Gaussians to parts of a large particle.
    Both are tried, and the profile whose scores separate best is returned.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Micrographs of one sampling rate; at most eight of them, spread evenly, are
        read.
    parameters : PickParameters
        Parameters of the picker.
    workers : int
        Threads.

    Returns
    -------
    array, shape (n,)
        Values at radii 0, 1, … binned pixels; a disc where nothing is found.
    """
    n_used = min(len(micrographs), _LEARNING_MICROGRAPHS)
    chosen = np.linspace(0, len(micrographs) - 1, n_used).round().astype(int)
    images = list(
        map_ahead(
            lambda index: prepare_micrograph(micrographs[index], parameters),
            chosen.tolist(),
            workers=workers,
        )
    )
    disc = reference_profile(Reference.DISC, diameter_px=images[0].diameter_px)
    gaussians = replace(parameters, method=PickMethod.GAUSSIANS)
    of_blobs = _next_profile(images, gaussians, disc, workers)
    learnt = [
        _repeat(images, parameters, first, workers)
        for first in (disc, of_blobs)
        if first.any()
    ]
    profile = max(
        learnt,
        key=lambda each: separation(_all_peaks(images, parameters, each, workers)[1]),
    )
    logger.info("Profile learnt on %d micrographs: %s", n_used, profile.round(2))
    return profile


def _repeat(
    images: Sequence[WorkingImage],
    parameters: PickParameters,
    profile: FloatArray,
    workers: int,
) -> FloatArray:
    """Return the profile to which repeated picking converges."""
    for _ in range(_ROUNDS):
        learnt = _next_profile(images, parameters, profile, workers)
        if not learnt.any():
            logger.warning("Nothing found to learn a profile from: using the last one")
            return profile
        similarity = np.corrcoef(profile, learnt)[0, 1]
        profile = learnt
        if similarity > _CONVERGED:
            break
    return profile


def _all_peaks(
    images: Sequence[WorkingImage],
    parameters: PickParameters,
    profile: FloatArray,
    workers: int,
) -> tuple[list[ScoredCoordinates], FloatArray]:
    """Return the peaks of each image, and the scores of all peaks."""
    found = list(
        map_ahead(
            lambda image: score_peaks(image, parameters, profile),
            images,
            workers=workers,
        )
    )
    return found, np.concatenate([peaks.scores for peaks in found])


def _next_profile(
    images: Sequence[WorkingImage],
    parameters: PickParameters,
    profile: FloatArray,
    workers: int,
) -> FloatArray:
    """Return the mean profile of the picks of a profile; all 0 without picks."""
    found, scores = _all_peaks(images, parameters, profile, workers)
    if not len(scores):
        return np.zeros(len(profile))
    threshold = find_threshold(scores)
    if threshold is None:
        threshold = float(np.median(scores))
    chosen = [peaks.yx[peaks.scores >= threshold] for peaks in found]
    means = [
        mean_profile(image, yx, length=len(profile))
        for image, yx in zip(images, chosen, strict=True)
    ]
    n_chosen = [len(yx) for yx in chosen]
    return np.asarray(np.average(means, axis=0, weights=n_chosen))
