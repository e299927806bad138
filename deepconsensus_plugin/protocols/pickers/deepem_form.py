# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of DeepEM's training, and the core's parameters for what was chosen."""

from __future__ import annotations

from dataclasses import replace

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol
from pyworkflow.protocol.constants import LEVEL_ADVANCED

from deepconsensus_plugin.core.pickers.deepem.architecture import DeepEMArchitecture
from deepconsensus_plugin.core.pickers.deepem.parameters import (
    DeepEMParameters,
    Initialisation,
    Variant,
)
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.protocols.pickers.picker_form import (
    boxFrameOfLabels,
    describeBadCounts,
)
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineAdvancedParams,
    seedRow,
)

VARIANTS = {0: Variant.MODERN, 1: Variant.PAPER}
INITIALISATIONS = {0: Initialisation.SCALED, 1: Initialisation.UNIT}
"""What the numbers of the form mean; they never change."""

_DEFAULTS = DeepEMParameters()


def defineDeepEMParams(form: params.Form) -> None:
    """Add how a DeepEM picker is trained; what is changed most comes first."""
    form.addParam(
        "nRounds",
        params.IntParam,
        default=_DEFAULTS.n_rounds,
        label="Rounds",
        help="After a round the picker looks at the micrographs it learns from: what "
        "it finds without a label makes up half of the background from then on.\n"
        "*1* where not all particles of these micrographs are labelled.",
    )
    form.addParam(
        "nEpochs",
        params.IntParam,
        default=_DEFAULTS.n_epochs,
        label="Epochs of a round, at most",
        help="After each the network is validated; the best weights are kept. Three "
        "without better ones end the round.",
    )
    form.addParam(
        "wantedAccuracy",
        params.FloatParam,
        default=_DEFAULTS.wanted_accuracy,
        label="Accuracy at which a round ends",
        help="Of boxes held out, with a threshold of 0.5. As published: about 0.95.",
    )
    form.addParam(
        "variant",
        params.EnumParam,
        choices=["modern", "as published"],
        default=0,
        label="Network and training",
        help="*modern*: batch normalisation, cross entropy, Adam.\n*as published*: "
        "squared error and plain gradient descent [Zhu2017].",
    )
    _defineExpertParams(form)


def _defineExpertParams(form: params.Form) -> None:
    defineAdvancedParams(
        form,
        [
            (
                "updatesPerEpoch",
                params.IntParam,
                _DEFAULTS.n_updates,
                "Batches of an epoch",
                "After so many the network is validated.",
            ),
            (
                "batchSize",
                params.IntParam,
                _DEFAULTS.batch_size,
                "Batch size",
                "Boxes in one update, half of them particles.",
            ),
            (
                "learningRate",
                params.FloatParam,
                None,
                "Learning rate",
                "Empty: 0.003 of Adam; 1, as published, of plain gradient descent.",
            ),
            (
                "negativesPerPositive",
                params.FloatParam,
                _DEFAULTS.negatives_per_positive,
                "Random background boxes per particle",
                "Half a box or more away from every particle. As published: 1.",
            ),
            (
                "nMaps",
                params.IntParam,
                _DEFAULTS.maps[0],
                "Maps of the first layer",
                "The two layers after it have twice as many. As published for KLH: 6.",
            ),
            seedRow(_DEFAULTS.seed),
        ],
    )
    form.addParam(
        "initialisation",
        params.EnumParam,
        choices=["scaled", "between 0 and 1"],
        default=0,
        expertLevel=LEVEL_ADVANCED,
        label="Weights before training",
        help="*scaled*: around 0, small where many are added up.\n*between 0 and 1*: "
        "as published; larger boxes saturate the units, and nothing is learnt.",
    )


def deepEMParameters(protocol: Protocol) -> DeepEMParameters:
    """Return what was chosen on the form."""
    nMaps = protocol.nMaps.get()
    return DeepEMParameters(
        variant=VARIANTS[protocol.variant.get()],
        initialisation=INITIALISATIONS[protocol.initialisation.get()],
        input_size=inputSize(protocol),
        maps=(nMaps, 2 * nMaps, 2 * nMaps),
        learning_rate=protocol.learningRate.get(),
        n_epochs=protocol.nEpochs.get(),
        n_updates=protocol.updatesPerEpoch.get(),
        batch_size=protocol.batchSize.get(),
        wanted_accuracy=protocol.wantedAccuracy.get(),
        negatives_per_positive=protocol.negativesPerPositive.get(),
        n_rounds=protocol.nRounds.get(),
        seed=protocol.seed.get(),
    )


def inputSize(protocol: Protocol) -> int:
    """Return the side of a box as the network sees it, pixels."""
    frame = boxFrameOfLabels(protocol)
    if protocol.pixelSize.get() is None:
        return min(_DEFAULTS.input_size, frame.box_size)
    extent = frame.box_size * frame.micrographs.getSamplingRate()
    return min(round(extent / protocol.pixelSize.get()), frame.box_size)


def scaledToBox(learnt: LearningInput, size: int) -> LearningInput:
    """Return an input whose box has so many pixels of the network."""
    extent = learnt.box_size * learnt.micrographs[0].sampling_rate
    return replace(learnt, pixel_size_A=extent / size)


def describeBadDeepEM(protocol: Protocol) -> list[str]:
    """Return what is wrong with the choices, a sentence each."""
    errors = describeBadCounts(
        protocol, "nRounds", "nEpochs", "updatesPerEpoch", "nMaps"
    )
    if protocol.batchSize.get() < 2:
        errors.append("Batch size: it must be 2 or more; 64 is usual.")
    if not 0.5 < protocol.wantedAccuracy.get() <= 1:
        errors.append(
            "Accuracy at which a round ends: it must be above 0.5, and at most 1."
        )
    for name in ("learningRate", "negativesPerPositive"):
        value = protocol.getAttributeValue(name)
        if value is not None and not value > 0:
            errors.append(f"{protocol.getParam(name).label}: it must be above 0.")
    if protocol.seed.get() < 0:
        errors.append("Seed: it must be 0 or more.")
    return errors


def describeSmallBox(protocol: Protocol) -> list[str]:
    """Return why boxes have too few pixels for the layers, if they do."""
    try:
        DeepEMArchitecture.of_box(inputSize(protocol))
    except ValueError as error:
        return [
            f"Pixel size for the network: {error}. Boxes need 23 pixels or more; give "
            "smaller pixels, or pick with larger boxes."
        ]
    return []
