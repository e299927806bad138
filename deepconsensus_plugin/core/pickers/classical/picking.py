# SPDX-License-Identifier: GPL-3.0-or-later
"""Classical pickers: difference of Gaussians and local correlation, no training.

The two pickers work on different principles, so that their agreement is evidence. The
difference of Gaussians responds to contrast at the particle's size, the normalised
correlation to shape at any contrast. Both return every positive peak; the threshold
follows from the scores of the whole set (`populations`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.null_control.phases import randomise_phases
from deepconsensus_plugin.core.pickers.classical.correlation import (
    reference_profile,
    score_by_correlation,
)
from deepconsensus_plugin.core.pickers.classical.gaussian import score_by_gaussians
from deepconsensus_plugin.core.pickers.classical.parameters import (
    PickMethod,
    PickParameters,
)
from deepconsensus_plugin.core.pickers.classical.working_image import (
    WorkingImage,
    prepare_for_filters,
)
from deepconsensus_plugin.core.pickers.maps.peaks import find_peaks
from deepconsensus_plugin.core.types import FloatArray, Micrograph, ScoredCoordinates


def pick_micrograph(
    micrograph: Micrograph,
    parameters: PickParameters,
    *,
    profile: FloatArray | None = None,
) -> ScoredCoordinates:
    """Return every positive peak of a micrograph, best first.

    Parameters
    ----------
    micrograph : Micrograph
        Is read.
    parameters : PickParameters
        Parameters of the picker.
    profile : array, shape (n,), optional
        Profile from `learn_profile`, where the reference is learnt.

    Returns
    -------
    ScoredCoordinates
        Centres, pixels of the micrograph.

    Raises
    ------
    ValueError
        If the particle does not fit into the micrograph; the error names it.
    """
    working = prepare_micrograph(micrograph, parameters)
    return working.to_micrograph(score_peaks(working, parameters, profile))


def pick_null(
    micrograph: Micrograph,
    parameters: PickParameters,
    rng: np.random.Generator,
    *,
    profile: FloatArray | None = None,
) -> ScoredCoordinates:
    """Return every positive peak of a null: the micrograph with randomised phases.

    Its spectrum is that of the usable area, and its peaks lie there, too.

    Parameters
    ----------
    micrograph, parameters, profile
        As for `pick_micrograph`.
    rng : numpy.random.Generator
        Source of the phases.
    """
    working = prepare_micrograph(micrograph, parameters)
    if not working.is_usable.any():
        return ScoredCoordinates.from_arrays([])
    noise = randomise_phases(working.image, rng, is_usable=working.is_usable)
    peaks = score_peaks(replace(working, image=noise), parameters, profile)
    return working.to_micrograph(peaks)


def prepare_micrograph(
    micrograph: Micrograph, parameters: PickParameters
) -> WorkingImage:
    """Return a micrograph as the filters take it; errors name it."""
    try:
        return prepare_for_filters(
            open_micrograph(micrograph.path),
            sampling_rate=micrograph.sampling_rate,
            diameter_A=parameters.mean_diameter_A,
            particles_dark=parameters.particles_dark,
            avoid_contamination=parameters.avoid_contamination,
        )
    except ValueError as error:
        raise ValueError(f"{micrograph.name}: {error}") from error


def score_peaks(
    working: WorkingImage, parameters: PickParameters, profile: FloatArray | None
) -> ScoredCoordinates:
    """Return every positive peak of a working image, best first; binned pixels."""
    if parameters.method is PickMethod.GAUSSIANS:
        scores = score_by_gaussians(working, elongation=parameters.elongation)
    else:
        if profile is None:
            profile = reference_profile(
                parameters.reference, diameter_px=working.diameter_px
            )
        scores = score_by_correlation(working, profile)
    radius = parameters.min_distance * working.diameter_px
    return find_peaks(scores, working.is_usable, radius_px=radius)
