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
from deepconsensus_plugin.protocols.pickers.pick_options import pickOptions
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown
from deepconsensus_plugin.protocols.shared.shared_forms import defineCtfParam

THRESHOLD = ParameterForm(
    PickThreshold,
    mode=Shown(
        "thresholdMode",
        choices={
            PickThresholdMode.PRECISION: "target precision",
            PickThresholdMode.BEST_F1: "best F1",
            PickThresholdMode.GIVEN: "given",
            PickThresholdMode.BEST_F2: "best F2",
            PickThresholdMode.EXPECTED: "expected number",
        },
        first=(
            *(PickThresholdMode.PRECISION, PickThresholdMode.BEST_F1),
            *(PickThresholdMode.BEST_F2, PickThresholdMode.EXPECTED),
        ),
        former={"precision": 0, "by precision": 0, "as many as expected": 4},
    ),
)
BOX = ParameterForm(OutputBox)

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
        help="Micrographs to pick. They should be like those that the model was "
        "trained on. Their pixel size may be different, but not coarser.",
    )
    form.addParam(
        "inputModel",
        params.PointerParam,
        pointerClass="ParticleClassifier",
        important=True,
        label="Model",
        help="A trained picker, or the network of *train network*, which scans the "
        "micrographs in about a minute each on a CPU.",
    )
    form.addParam(
        "knownCoordinates",
        params.PointerParam,
        pointerClass="SetOfCoordinates",
        allowsNull=True,
        label="Known coordinates",
        help="Optional coordinates, for example all candidates of *consensus of "
        f"picks*. Picks farther than {MERGE_RADIUS:g} boxes from them become a second "
        "output: the particles that other pickers missed.",
    )
    defineCtfParam(
        form, "Needed only for a Deep Consensus network that was trained with CTFs."
    )


def defineThresholdParams(form: params.Form) -> None:
    """Add from which score on a place is a pick."""
    THRESHOLD.define(form.addGroup("Threshold"))
    BOX.define(form)


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


def boxExtent(protocol: Protocol) -> float:
    """Return the side of a pick's box, Å: the model's, or as the options have it."""
    card = protocol.inputModel.get().getCard()
    if isinstance(card, PickerCard):
        return card.box_extent_of(pickOptions(protocol))
    return card.box_extent_A
