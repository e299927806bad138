# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of DeepEM's training, and the core's parameters for what was chosen."""

from __future__ import annotations

from dataclasses import replace

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.pickers.deepem.architecture import DeepEMArchitecture
from deepconsensus_plugin.core.pickers.deepem.parameters import (
    DeepEMParameters,
    Initialisation,
    Variant,
)
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.protocols.pickers.picker_form import (
    boxFrameOfLabels,
    learningForm,
)
from deepconsensus_plugin.protocols.shared.as_published import isAsPublished
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown

LEARNING = learningForm(
    auto=f"the box becomes {DeepEMParameters.input_size} pixels; pixels never become "
    "smaller than they are",
    published=DeepEMParameters.PUBLISHED_INPUT,
)

DEEPEM = ParameterForm(
    DeepEMParameters,
    first=(
        *("n_rounds", "n_epochs", "wanted_accuracy", "variant", "n_updates"),
        *("batch_size", "learning_rate", "negatives_per_positive", "maps", "seed"),
    ),
    published=DeepEMParameters.PUBLISHED,
    variant=Shown(choices={Variant.MODERN: "modern", Variant.PAPER: "as published"}),
    n_updates=Shown("updatesPerEpoch"),
    maps=Shown(
        "nMaps",
        param=params.IntParam,
        held=lambda maps: maps[0],
        meant=lambda n: (n, 2 * n, 2 * n),
    ),
    initialisation=Shown(
        choices={
            Initialisation.SCALED: "scaled",
            Initialisation.UNIT: "between 0 and 1",
        }
    ),
)
"""What is changed most comes first."""


def deepEMParameters(protocol: Protocol) -> DeepEMParameters:
    """Return what was chosen on the form."""
    return DEEPEM.read(protocol, input_size=inputSize(protocol))


def inputSize(protocol: Protocol) -> int:
    """Return the side of a box as the network sees it, pixels."""
    frame = boxFrameOfLabels(protocol)
    if isAsPublished(protocol):
        return frame.box_size
    if protocol.pixelSize.get() is None:
        return min(DeepEMParameters.input_size, frame.box_size)
    extent = frame.box_size * frame.micrographs.getSamplingRate()
    return min(round(extent / protocol.pixelSize.get()), frame.box_size)


def scaledToBox(learnt: LearningInput, size: int) -> LearningInput:
    """Return an input whose box has so many pixels of the network."""
    extent = learnt.box_size * learnt.micrographs[0].sampling_rate
    return replace(learnt, pixel_size_A=extent / size)


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
