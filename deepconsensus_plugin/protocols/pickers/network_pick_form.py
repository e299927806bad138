# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *pick with a network*, and the threshold that was chosen on it."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol
from pyworkflow.protocol.constants import LEVEL_ADVANCED

from deepconsensus_plugin.core.pickers.trained.card import PickerCard
from deepconsensus_plugin.core.pickers.trained.validation import WANTED_PRECISION
from deepconsensus_plugin.protocols.pickers.pick_options import pickOptions
from deepconsensus_plugin.protocols.shared.shared_forms import defineCtfParam

PRECISION, BEST_F1, GIVEN, BEST_F2, EXPECTED = range(5)
"""What the numbers of the form mean; they never change."""

MERGE_RADIUS = 0.3
"""Of the box: closer to a known coordinate, a pick is that one; as in the consensus."""


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


def defineThresholdParams(form: params.Form) -> None:
    """Add from which score on a place is a pick."""
    group = form.addGroup("Threshold")
    group.addParam(
        "thresholdMode",
        params.EnumParam,
        choices=[
            "by precision",
            "best F1",
            "given",
            "best F2",
            "as many as expected",
        ],
        default=PRECISION,
        label="Threshold",
        help="The first two and *F2*: as found on micrographs that training held out, "
        "or else where particles and background part in all scores; so always with a "
        "general head, whose figures are of other samples. Where its scores do not "
        "tell, as many as pickers without training find.\n"
        "*as many as expected*: as training reckoned with; where labels are the easier "
        "particles, such as agreed ones.",
    )
    group.addParam(
        "wantedPrecision",
        params.FloatParam,
        default=WANTED_PRECISION,
        condition=f"thresholdMode=={PRECISION}",
        label="Precision",
        help="As many picks as leave this share of particles among them. Where the "
        "model never was as precise: as *best F1*.",
    )
    group.addParam(
        "threshold",
        params.FloatParam,
        default=0.0,
        condition=f"thresholdMode=={GIVEN}",
        label="Log-odds, at least",
        help="0 is a probability of one half, as the network has it. Another "
        "threshold takes seconds (*Continue*).",
    )
    group.addParam(
        "boxSize",
        params.IntParam,
        allowsNull=True,
        expertLevel=LEVEL_ADVANCED,
        label="Box size (px)",
        help="Empty: as wide as those that the model was trained on.",
    )


def chosenThreshold(protocol: Protocol) -> float | None:
    """Return the threshold; None where scores, or their number, must tell."""
    mode = protocol.thresholdMode.get()
    if mode == GIVEN:
        return protocol.threshold.get()
    card = protocol.inputModel.get().getCard()
    if mode == EXPECTED or not isinstance(card, PickerCard):
        return None
    figures = card.validation_of(pickOptions(protocol))
    if figures is None:
        return None
    if mode == BEST_F2:
        return figures.best_threshold_of(2.0)
    precise = figures.threshold_for(protocol.wantedPrecision.get())
    if mode == BEST_F1 or precise is None:
        return figures.best_threshold
    return precise


def expectedPicks(protocol: Protocol) -> int | None:
    """Return how many picks are wanted, where their number decides and is known."""
    card = protocol.inputModel.get().getCard()
    if protocol.thresholdMode.get() != EXPECTED or not isinstance(card, PickerCard):
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
