# SPDX-License-Identifier: GPL-3.0-or-later
"""Training parameters, boxes and initial model, as chosen on a form.

Forms that have `train_form.defineTrainingParams` and `defineInitialModelParams` share
it; they return the micrographs to cut from `getInputMicrographs`.
"""

from __future__ import annotations

from pathlib import Path

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing, fitting_input_size
from deepconsensus_plugin.protocols.deep_consensus.train_form import (
    AUTOMATIC_INPUT_SIZE,
    FROM_MODEL,
)
from deepconsensus_plugin.protocols.shared.model_summary import (
    describeMisfit,
    describeOtherPreprocessing,
)

_SMALLEST = {"nEpochs": 0, "nModels": 1, "batchSize": 2, "maxBoxes": 1, "seed": 0}


def startsFromModel(protocol: Protocol) -> bool:
    """Return whether a model was chosen to start from."""
    return protocol.modelInitialization.get() == FROM_MODEL


def initialFolder(protocol: Protocol) -> Path | None:
    """Return the folder of the model to start from; None for a new network."""
    if not startsFromModel(protocol):
        return None
    return Path(protocol.initialModel.get().getFolder())


def trainingParameters(protocol: Protocol) -> TrainingParameters:
    """Return how the networks are trained."""
    return TrainingParameters(
        n_epochs=protocol.nEpochs.get() or None,  # 0: automatic
        batch_size=protocol.batchSize.get(),
        learning_rate=protocol.learningRate.get(),
        l2_strength=protocol.l2RegStrength.get(),
        n_models=protocol.nModels.get(),
        auto_stopping=protocol.autoStopping.get(),
        max_boxes=protocol.maxBoxes.get(),
        prune_labels=protocol.pruneLabels.get(),
        half_precision=protocol.halfPrecision.get(),
        seed=protocol.seed.get(),
    )


def boxPreprocessing(protocol: Protocol, *, boxSize: int) -> BoxPreprocessing:
    """Return what is done to a box; its size is that of the model started from.

    Parameters
    ----------
    protocol : Protocol
        Protocol with the choices of the form.
    boxSize : int
        Pixels of the micrographs that are cut.
    """
    size = protocol.inputSize.get()
    if startsFromModel(protocol):
        card = protocol.initialModel.get().getCard(EnsembleCard)
        size = card.preprocessing.input_size
    elif size == AUTOMATIC_INPUT_SIZE:
        rate = protocol.getInputMicrographs().getSamplingRate()
        size = fitting_input_size(boxSize, rate)
    return BoxPreprocessing(
        input_size=size,
        invert=not protocol.skipInvert,
        phase_flip=protocol.ctfRelations.get() is not None,
    )


def describeBadTraining(protocol: Protocol) -> list[str]:
    """Return what is wrong with the numbers of the training, a sentence each."""
    errors = [
        f"{protocol.getParam(name).label}: it must be {smallest} or more."
        for name, smallest in _SMALLEST.items()
        if protocol.getAttributeValue(name) < smallest
    ]
    if not protocol.learningRate.get() > 0 or protocol.l2RegStrength.get() < 0:
        errors.append(
            "Learning rate and regularisation: they must not be below 0, nor the "
            "rate 0."
        )
    if protocol.inputSize.get() < 0 or protocol.inputSize.get() % 16:
        errors.append("Network input: a multiple of 16, such as 64 or 128, or 0.")
    return errors


def describeBadStart(protocol: Protocol, *, boxSize: int) -> list[str]:
    """Return why the training cannot start from the chosen model.

    Parameters
    ----------
    protocol : Protocol
        Protocol with the choices of the form.
    boxSize : int
        Pixels of the micrographs that are cut.
    """
    if not startsFromModel(protocol):
        return []
    if protocol.initialModel.get() is None:
        return ["Model to start from: choose one, or start from a new network."]
    misfit = describeMisfit(
        protocol.initialModel.get(),
        boxSize=boxSize,
        samplingRate=protocol.getInputMicrographs().getSamplingRate(),
    )
    if misfit:
        return [f"Model to start from: {misfit}"]
    card = protocol.initialModel.get().getCard(EnsembleCard)
    return describeOtherPreprocessing(card, boxPreprocessing(protocol, boxSize=boxSize))
