# SPDX-License-Identifier: GPL-3.0-or-later
"""Training parameters, boxes and initial model, as chosen on a form.

Forms that have `train_form.defineTrainingParams` and `defineInitialModelParams` share
it.
"""

from __future__ import annotations

from pathlib import Path

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing, fitting_input_size
from deepconsensus_plugin.protocols.deep_consensus.train_form import (
    FROM_MODEL,
    INPUT_SIZE,
    TRAINING,
)
from deepconsensus_plugin.protocols.shared.model_summary import (
    describeMisfit,
    describeOtherPreprocessing,
)


def startsFromModel(protocol: Protocol) -> bool:
    """Return whether a model was chosen to start from."""
    return protocol.modelInitialization.get() == FROM_MODEL


def initialFolder(protocol: Protocol) -> Path | None:
    """Return the folder of the model to start from; None for a new network."""
    if not startsFromModel(protocol):
        return None
    return Path(protocol.initialModel.get().getFolder())


def boxPreprocessing(
    protocol: Protocol, *, boxSize: int, samplingRate: float, flipsPhases: bool
) -> BoxPreprocessing:
    """Return what is done to a box; its size is that of the model started from.

    Parameters
    ----------
    protocol : Protocol
        Protocol with the choices of the form.
    boxSize : int
        Pixels of what is cut.
    samplingRate : float
        Å/px of it.
    flipsPhases : bool
        Whether the CTFs are known.
    """
    size = INPUT_SIZE.value_of("input_size", protocol)
    if startsFromModel(protocol):
        card = protocol.initialModel.get().getCard(EnsembleCard)
        size = card.preprocessing.input_size
    elif size is None:
        size = fitting_input_size(boxSize, samplingRate)
    return BoxPreprocessing(
        input_size=size, invert=not protocol.skipInvert, phase_flip=flipsPhases
    )


def describeBadTraining(protocol: Protocol) -> list[str]:
    """Return what is wrong with the numbers of the training, a sentence each."""
    return TRAINING.describe_bad(protocol) + INPUT_SIZE.describe_bad(protocol)


def describeBadStart(
    protocol: Protocol, *, boxSize: int, samplingRate: float, flipsPhases: bool
) -> list[str]:
    """Return why the training cannot start from the chosen model.

    Parameters
    ----------
    protocol, boxSize, samplingRate, flipsPhases
        As for `boxPreprocessing`.
    """
    if not startsFromModel(protocol):
        return []
    if protocol.initialModel.get() is None:
        return ["Initial model: choose one, or start from new weights."]
    model = protocol.initialModel.get()
    misfit = describeMisfit(model, boxSize=boxSize, samplingRate=samplingRate)
    if misfit:
        return [f"Initial model: {misfit}"]
    preprocessing = boxPreprocessing(
        protocol,
        boxSize=boxSize,
        samplingRate=samplingRate,
        flipsPhases=flipsPhases,
    )
    return describeOtherPreprocessing(model.getCard(EnsembleCard), preprocessing)
