# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *select by score*, section by section."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.calibration.thresholds import (
    ThresholdMode,
    ThresholdRule,
)

THRESHOLD_MODES = {
    0: ThresholdMode.FIXED,
    1: ThresholdMode.FIRST_N,
    2: ThresholdMode.MAX_F,
    3: ThresholdMode.MIN_PRECISION,
}
"""What the numbers of `thresholdMode` mean; they never change."""

FIXED, AUTOMATIC = 0, 2


def defineInputParams(form: params.Form) -> None:
    """Add what is selected from."""
    form.addParam(
        "inputParticles",
        params.PointerParam,
        pointerClass="SetOfParticles",
        allowsNull=True,
        important=True,
        label="Scored particles",
        help="Particles of *score particles*. Their coordinates are selected "
        "with them. Leave it empty to select from coordinates.",
    )
    form.addParam(
        "inputCoordinates",
        params.PointerParam,
        pointerClass="SetOfCoordinates",
        allowsNull=True,
        condition="inputParticles is None",
        label="Scored coordinates",
        help="Coordinates of *score particles*, where no particles were written.",
    )


def defineThresholdParams(form: params.Form, *, default: int = FIXED) -> None:
    """Add what is kept; `default` is one of `THRESHOLD_MODES`."""
    form.addParam(
        "thresholdMode",
        params.EnumParam,
        choices=["fixed", "first N", "automatic", "precision"],
        default=default,
        display=params.EnumParam.DISPLAY_HLIST,
        label="Kind of threshold",
        help="*automatic*: the threshold with the best expected compromise of "
        "precision and recall. Where scores are the network's own, not "
        "probabilities, it is 0.5.\n"
        "*precision*: as many as the wanted precision is expected to allow.\n"
        "*fixed*: every item whose score is at least the threshold.\n"
        "*first N*: the given number of items with the best scores.",
    )
    form.addParam(
        "beta",
        params.FloatParam,
        default=1.0,
        condition="thresholdMode == 2",
        expertLevel=params.LEVEL_ADVANCED,
        label="Weight of recall (beta)",
        help="How many times as much as precision recall counts: 2 to lose few "
        "particles, 0.5 to let few false ones in.",
    )
    form.addParam(
        "minPrecision",
        params.FloatParam,
        default=0.9,
        condition="thresholdMode == 3",
        label="Least precision",
        help="Share of true particles that is expected at least among those that are "
        "kept, 0 to 1.",
    )
    form.addParam(
        "threshold",
        params.FloatParam,
        default=0.5,
        condition="thresholdMode == 0",
        label="Threshold (score)",
        help="Items with this score or a higher one are kept.\n"
        "Scores go from 0 (background) to 1 (particle); 0.5 is the published "
        "choice.\n"
        "Raise it for fewer false particles, lower it to lose fewer true ones.\n"
        "The wand shows the scores, and how many remain.",
    )
    form.addParam(
        "numberOfParticles",
        params.IntParam,
        default=10000,
        condition="thresholdMode == 1",
        label="Number of particles",
        help="How many to keep. If there are fewer, all that have a score are "
        "kept. Of equal scores, the first in the set.",
    )


def thresholdMode(protocol: Protocol) -> ThresholdMode:
    """Return the kind of threshold that was chosen."""
    return THRESHOLD_MODES[protocol.thresholdMode.get()]


def thresholdRule(protocol: Protocol) -> ThresholdRule:
    """Return what a form that has `defineThresholdParams` accepts."""
    return ThresholdRule(
        mode=thresholdMode(protocol),
        threshold=protocol.threshold.get(),
        n_first=protocol.numberOfParticles.get(),
        beta=protocol.beta.get(),
        min_precision=protocol.minPrecision.get(),
    )


def describeBadThreshold(protocol: Protocol) -> list[str]:
    """Return what is wrong with the chosen threshold, a sentence each."""
    errors = []
    isFirstN = thresholdMode(protocol) is ThresholdMode.FIRST_N
    if isFirstN and protocol.numberOfParticles.get() < 1:
        errors.append("Number of particles: it must be 1 or more.")
    if not protocol.beta.get() > 0:
        errors.append("Weight of recall: it must be above 0.")
    if not 0 <= protocol.minPrecision.get() <= 1:
        errors.append("Least precision: it must be between 0 and 1.")
    return errors
