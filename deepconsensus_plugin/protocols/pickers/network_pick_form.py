# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *pick with a network*, and the threshold that was chosen on it."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.pickers.trained.card import PickerCard
from deepconsensus_plugin.core.pickers.trained.pick_threshold import (
    PickThreshold,
    PickThresholdMode,
)
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
from deepconsensus_plugin.core.types import OutputBox
from deepconsensus_plugin.core.usable_area.parameters import AreaChoice
from deepconsensus_plugin.protocols.pickers.pick_options import pickOptions
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown
from deepconsensus_plugin.protocols.shared.shared_forms import defineCtfParam

_MODES = {
    PickThresholdMode.PRECISION: "target precision",
    PickThresholdMode.BEST_F1: "best F1",
    PickThresholdMode.GIVEN: "given",
    PickThresholdMode.BEST_F2: "best F2",
    PickThresholdMode.EXPECTED: "expected number",
}
_BY_PRECISION = f"thresholdMode == {[*_MODES].index(PickThresholdMode.PRECISION)}"

THRESHOLD = ParameterForm(
    PickThreshold,
    mode=Shown(
        "thresholdMode",
        choices=_MODES,
        first=(
            *(PickThresholdMode.PRECISION, PickThresholdMode.BEST_F1),
            *(PickThresholdMode.BEST_F2, PickThresholdMode.EXPECTED),
        ),
        former={"precision": 0, "by precision": 0, "as many as expected": 4},
    ),
    wanted_precision=Shown(
        condition=f"{_BY_PRECISION} and ((inputModel, head) and isValidated "
        f"or wantedPrecision != {PickThreshold.wanted_precision!r})"
    ),
)
BOX = ParameterForm(OutputBox)
AREA = ParameterForm(AreaChoice)

MERGE_RADIUS = ConsensusRules.merge_radius
"""Distance, in boxes, within which a pick counts as a known coordinate."""


def defineInputParams(form: params.Form) -> None:
    """Add what is picked, with what, and what is known already."""
    form.addParam(
        "inputMicrographs",
        params.PointerParam,
        pointerClass="SetOfMicrographs",
        important=True,
        label="Micrographs",
        help="All of them are picked. They should be like those that the model was "
        "trained on; another pixel size is no matter, unless it is coarser.",
    )
    form.addParam(
        "inputModel",
        params.PointerParam,
        pointerClass="ParticleClassifier",
        important=True,
        label="Model",
        help="A trained picker, or the network of *train network*, which is slid "
        "over the micrographs (about a minute each on a processor).",
    )
    form.addParam(
        "knownCoordinates",
        params.PointerParam,
        pointerClass="SetOfCoordinates",
        allowsNull=True,
        label="Known coordinates",
        help="Optional, for example all candidates of *consensus of picks*. Picks "
        f"farther than {MERGE_RADIUS:g} boxes from them make a second set: the "
        "particles that other pickers missed.",
    )
    defineCtfParam(
        form, "Only for a Deep Consensus network that was trained with CTFs."
    )
    AREA.define(form)


def defineThresholdParams(form: params.Form) -> None:
    """Add from which score on a place is a pick."""
    group = form.addGroup("Threshold")
    THRESHOLD.define(group)
    BOX.define(group)


def chosenThreshold(protocol: Protocol) -> float | None:
    """Return the threshold; None where scores, or their number, must tell."""
    card = protocol.inputModel.get().getCard()
    isPicker = isinstance(card, PickerCard)
    figures = card.validation_of(pickOptions(protocol)) if isPicker else None
    return THRESHOLD.read(protocol).choose(figures)


def expectedPicks(protocol: Protocol) -> int | None:
    """Return how many picks are wanted, where their number decides and is known."""
    card, mode = protocol.inputModel.get().getCard(), THRESHOLD.read(protocol).mode
    if mode is not PickThresholdMode.EXPECTED or not isinstance(card, PickerCard):
        return None
    n_particles = card.expected_particles
    if n_particles is None:
        return None
    return round(n_particles * protocol.inputMicrographs.get().getSize())


def describeUnusedPrecision(protocol: Protocol) -> list[str]:
    """Return that a precision is wanted of a model that was not validated."""
    mode = THRESHOLD.value_of("mode", protocol)
    if mode is not PickThresholdMode.PRECISION or protocol.isValidated():
        return []
    return THRESHOLD.describe_unused(
        protocol,
        "wanted_precision",
        why="the model, or its head, was not validated on held-out micrographs, so "
        "that the scores alone give the threshold",
    )


def boxExtent(protocol: Protocol) -> float:
    """Return the side of a pick's box, Å: the model's, or as the options have it."""
    card = protocol.inputModel.get().getCard()
    if isinstance(card, PickerCard):
        return card.box_extent_of(pickOptions(protocol))
    return card.box_extent_A
