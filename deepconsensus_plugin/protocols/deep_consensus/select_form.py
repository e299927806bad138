# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *select by score*, section by section."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.calibration.thresholds import (
    ThresholdMode,
    ThresholdRule,
)
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown

_CHOICES = {
    ThresholdMode.FIXED: "Score cutoff",
    ThresholdMode.FIRST_N: "Top N",
    ThresholdMode.MAX_F: "Auto (best F1)",
    ThresholdMode.MIN_PRECISION: "Target precision",
}
_FORMER = {"fixed": 0, "first n": 1, "automatic": 2, "precision": 3}

THRESHOLD_MODES = dict(enumerate(_CHOICES))
"""Modes by the numbers of `thresholdMode`."""


def thresholdForm(default: ThresholdMode) -> ParameterForm[ThresholdRule]:
    """Return the form of a threshold, with the mode that it begins with."""
    return ParameterForm(
        ThresholdRule,
        first=("mode", "beta", "min_precision"),
        mode=Shown(
            "thresholdMode",
            choices=_CHOICES,
            first=(ThresholdMode.MAX_F, ThresholdMode.MIN_PRECISION),
            former=_FORMER,
            default=default,
        ),
        min_precision=Shown(default=0.9),
        n_first=Shown("numberOfParticles", default=10_000),
    )


THRESHOLD = thresholdForm(ThresholdMode.FIXED)


def defineInputParams(form: params.Form) -> None:
    """Add what is selected from."""
    form.addParam(
        "inputParticles",
        params.PointerParam,
        pointerClass="SetOfParticles",
        allowsNull=True,
        important=True,
        label="Scored particles",
        help="Particles of *score particles*; their coordinates are selected with "
        "them. Leave it empty to select from coordinates.",
    )
    form.addParam(
        "inputCoordinates",
        params.PointerParam,
        pointerClass="SetOfCoordinates",
        allowsNull=True,
        condition="inputParticles is None",
        label="Scored coordinates",
        help="Coordinates of *score particles*, or of a selection from them.",
    )


def defineStacksParam(form: params.Form) -> None:
    """Add whether the particles that are kept are cut out."""
    form.addParam(
        "writeStacks",
        params.BooleanParam,
        default=True,
        condition="inputParticles is None",
        label="Write particle stacks",
        help="*Yes*: the particles that are kept are cut out and written, to one stack "
        "per micrograph, as the form of *score particles* tells. 100 000 boxes of 400 "
        "px take 64 GB of disk, half of it with *Images in 16 bits*.\n"
        "*No*: only coordinates are selected, in seconds. To compare cutoffs, look at "
        "the window of scores instead.\nDefault: Yes.",
    )


def thresholdMode(protocol: Protocol) -> ThresholdMode:
    """Return the kind of threshold that was chosen."""
    return THRESHOLD.value_of("mode", protocol)
