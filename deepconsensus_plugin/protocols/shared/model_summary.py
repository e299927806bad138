# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of a model, for summaries and methods of protocols."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pwem.objects import SetOfCTF

from deepconsensus_plugin.core.calibration.network_grounds import (
    FEWEST_SHOWN,
    describe_held_out,
)
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.label_noise import LabelNoise
from deepconsensus_plugin.core.errors import FileFormatError, IncompatibleModelError
from deepconsensus_plugin.core.metrics.classification import ClassificationMetrics
from deepconsensus_plugin.core.networks.card import ModelCard
from deepconsensus_plugin.core.pickers.trained.card import PickerCard
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.objects import ParticleClassifier
from deepconsensus_plugin.protocols.shared.contrast import LABEL, nameOf
from deepconsensus_plugin.protocols.shared.picker_summary import describePicker

_CHANCE = 0.6
"""ROC-AUC below which a network tells nothing; 0.5 is that of a coin."""


def describeModel(card: ModelCard) -> list[str]:
    """Return what a model is, what it learnt from, and its figures, a line each."""
    if isinstance(card, PickerCard):
        return describePicker(card)
    return _describeEnsemble(card)


def _describeEnsemble(card: EnsembleCard) -> list[str]:
    lines = [
        f"Ensemble of {card.n_models}, box {card.box_size} px at "
        f"{card.sampling_rate:.3g} Å/px = {card.box_extent_A:.0f} Å, phases "
        f"{'flipped' if card.preprocessing.phase_flip else 'not flipped'}, seed "
        f"{card.training.seed}."
    ]
    for used, sets in (("Trained", card.training_sets), ("Tested", card.testing_sets)):
        lines += [
            f"{used} on {s.n_boxes} {'particle' if s.is_particle else 'background'} "
            f"boxes ({s.name}){'' if s.weight == 1 else f', weight {s.weight:g}'}."
            for s in sets
        ]
    if card.label_noise is not None:
        lines.append(_describeNoise(card.label_noise))
    lines += [
        f"Network {number} on held-out micrographs: {_describe(figures)}"
        for number, figures in enumerate(card.validation, start=1)
    ]
    lines += _describeChance(card.validation)
    if card.testing is not None:
        lines.append(f"Ensemble on the test sets: {_describe(card.testing)}")
    return lines


def _describeChance(validation: Sequence[ClassificationMetrics]) -> list[str]:
    """Return a warning if networks cannot tell what they did not learn from."""
    areas = [
        figures.roc_auc
        for figures in validation
        if min(figures.n_positives, figures.n_negatives) >= FEWEST_SHOWN
    ]
    if not areas or not sum(areas) / len(areas) < _CHANCE:
        return []
    return [
        "WARNING: on held-out micrographs the networks are no better than chance "
        f"(ROC-AUC {sum(areas) / len(areas):.2f}). Look at the training particles: are "
        "there any at their coordinates?"
    ]


def countNetworks(card: ModelCard) -> str:
    """Return what the model consists of, to begin a sentence."""
    if card.n_models == 1:
        return "A convolutional network"
    return f"An ensemble of {card.n_models} convolutional networks"


def describeMethods(card: EnsembleCard) -> str:
    """Return how a model was made, as a sentence of a paper."""
    positives, negatives = (
        sum(s.n_boxes for s in card.training_sets if s.is_particle is label)
        for label in (True, False)
    )
    duration = (
        f"{card.training.n_updates} batches of {card.training.batch_size}"
        if card.training.n_epochs is None
        else f"{card.training.n_epochs} epochs"
    )
    return (
        f"{countNetworks(card)} [SanchezGarcia2018] was trained with Keras "
        f"[Chollet2015] for {duration} on {positives} boxes "
        f"of particles and {negatives} of background, {card.box_extent_A:.0f} Å wide."
        f"{_describePruning(card.label_noise)}"
    )


def _describePruning(noise: LabelNoise | None) -> str:
    """Return a further sentence where boxes were left out for their labels."""
    if noise is None or not noise.n_particles + noise.n_background:
        return ""
    return (
        f" {noise.n_particles + noise.n_background} further boxes were removed as "
        "likely mislabelled [Northcutt2021]."
    )


def describeMisfit(
    model: ParticleClassifier, *, boxSize: int, samplingRate: float
) -> str | None:
    """Return why a model cannot be used on such boxes; None if it can.

    Parameters
    ----------
    model : ParticleClassifier
        Its folder may be damaged.
    boxSize : int
        Pixels of the micrographs.
    samplingRate : float
        Sampling rate of the micrographs, Å/px.
    """
    try:
        card = model.getCard(EnsembleCard)
        card.check_fits(box_size=boxSize, sampling_rate=samplingRate)
    except (OSError, FileFormatError, IncompatibleModelError) as error:
        return str(error)
    return None


def describeOtherPreprocessing(
    card: EnsembleCard, preprocessing: BoxPreprocessing
) -> list[str]:
    """Return why training on such boxes cannot start from a model; empty if it can."""
    known = card.preprocessing
    errors = []
    if known.phase_flip != preprocessing.phase_flip:
        wanted = "needs" if known.phase_flip else "was trained without"
        errors.append(
            f"CTF estimation: the initial model {wanted} CTFs; do the same here, or "
            "start from new weights."
        )
    if known.invert != preprocessing.invert:
        errors.append(
            f"{LABEL}: the initial model was trained on micrographs whose particles "
            f"are {nameOf(known.invert)}. Use such micrographs, or start from new "
            "weights."
        )
    return errors


def _describe(figures: ClassificationMetrics) -> str:
    """Return the figures in one line, or that there are too few boxes for any.

    Figures that are not defined are left out.
    """
    too_few = describe_held_out(figures.n_positives, figures.n_negatives)
    if too_few is not None:
        return f"{too_few}."
    values = {
        "ROC-AUC": figures.roc_auc,
        "accuracy": figures.accuracy,
        "precision": figures.precision,
        "recall": figures.recall,
        "MCC": figures.mcc,
    }
    known = [f"{key} {v:.3f}" for key, v in values.items() if math.isfinite(v)]
    boxes = f"{figures.n_positives} + {figures.n_negatives} boxes"
    at = f" at score ≥ {figures.threshold:.2f}" if len(known) > 1 else ""
    return f"{', '.join(known) or 'no figures'}{at} ({boxes})."


def _describeNoise(noise: LabelNoise) -> str:
    """Return how many labels look wrong, and how many boxes were removed for it."""
    n_removed = noise.n_particles + noise.n_background
    removed = (
        f"{noise.n_particles} + {noise.n_background} boxes removed"
        if n_removed
        else "none removed"
    )
    return (
        f"Suspect labels: {noise.wrong_particles:.1%} of positives, "
        f"{noise.wrong_background:.1%} of negatives; {removed}."
    )


def describeMissingCtf(model: ParticleClassifier, ctfs: SetOfCTF | None) -> list[str]:
    """Return a sentence if a model needs CTFs, and there are none."""
    if ctfs is not None or not model.getCard(EnsembleCard).preprocessing.phase_flip:
        return []
    return [
        "CTF estimation: the model was trained on phase-flipped boxes; choose the CTFs "
        "of these micrographs, or a model trained without them."
    ]


def describeOtherContrast(model: ParticleClassifier, inverts: bool) -> list[str]:
    """Return a sentence if boxes are inverted that the training did not, or not."""
    card = model.getCard()
    if not isinstance(card, EnsembleCard) or inverts == card.preprocessing.invert:
        return []
    return [
        f"{LABEL}: the model was trained on micrographs whose particles are "
        f"{nameOf(card.preprocessing.invert)}, and you chose the opposite. Scores are "
        "meaningful only on micrographs like those of the training."
    ]
