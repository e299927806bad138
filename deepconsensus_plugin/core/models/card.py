# SPDX-License-Identifier: GPL-3.0-or-later
"""The card of a model: what it was made from and what it may be used on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from deepconsensus_plugin.core.errors import IncompatibleModelError, ModelFormatError
from deepconsensus_plugin.core.label_noise import LabelNoise
from deepconsensus_plugin.core.metrics.classification import ClassificationMetrics
from deepconsensus_plugin.core.parameters import TrainingParameters
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.serialisation import from_plain, read_json

CARD_FILE, WEIGHTS_FILE = "card.json", "model.keras"
"""What a model folder holds."""

DEEP_CONSENSUS = "deep_consensus"
KINDS = (DEEP_CONSENSUS,)
"""Networks that this version knows."""

EXTENT_TOLERANCE = 0.15
"""How much the boxes of two data sets may differ in Å, relative."""


@dataclass(frozen=True)
class TrainingSet:
    """One set of boxes that a model learnt from or was tested on."""

    name: str
    is_particle: bool
    n_boxes: int
    weight: float


@dataclass(frozen=True)
class ModelCard:
    """What a model is, kept beside its weights as ``card.json``.

    Parameters
    ----------
    kind : str
        Which network: one of `KINDS`.
    n_models : int
        Networks in the ensemble.
    box_size : int
        Pixels, of the micrographs it was trained on.
    sampling_rate : float
        Å/px, of the same.
    preprocessing : BoxPreprocessing
        Done to a box before the network sees it.
    training : TrainingParameters
        How it was trained; holds the seed.
    training_sets, testing_sets : list of TrainingSet
        What it learnt from, what it was tested on.
    label_noise : LabelNoise, optional
        What looked wrong among the labels, and was not learnt from.
    validation : list of ClassificationMetrics
        One per network, on micrographs held out.
    testing : ClassificationMetrics, optional
        Of the ensemble on the testing sets.
    versions : dict
        Of this package and those underneath.
    """

    kind: str
    n_models: int
    box_size: int
    sampling_rate: float
    preprocessing: BoxPreprocessing
    training: TrainingParameters
    training_sets: list[TrainingSet]
    testing_sets: list[TrainingSet] = field(default_factory=list)
    label_noise: LabelNoise | None = None
    validation: list[ClassificationMetrics] = field(default_factory=list)
    testing: ClassificationMetrics | None = None
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def box_extent_A(self) -> float:
        """Side of a box in Å."""
        return self.box_size * self.sampling_rate

    def check_fits(self, *, box_size: int, sampling_rate: float) -> None:
        """Refuse boxes that show another extent than those of the training.

        Raises
        ------
        IncompatibleModelError
            If the extents differ by more than `EXTENT_TOLERANCE`.
        """
        extent = box_size * sampling_rate
        if abs(extent / self.box_extent_A - 1) > EXTENT_TOLERANCE:
            fitting = round(self.box_extent_A / sampling_rate)
            raise IncompatibleModelError(
                f"The model was trained on boxes of {self.box_size} px at "
                f"{self.sampling_rate:.3g} Å/px = {self.box_extent_A:.0f} Å; these are "
                f"of {box_size} px at {sampling_rate:.3g} Å/px = {extent:.0f} Å, more "
                f"than {EXTENT_TOLERANCE:.0%} off. Use a box of about {fitting} px, or "
                "train a model on these data."
            )


def load_card(folder: Path) -> ModelCard:
    """Return the card of a model folder.

    Raises
    ------
    ModelFormatError
        If the folder holds no complete model, or one that this version does not know.
    FileFormatError
        If the card cannot be read.
    """
    for name in (CARD_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            raise ModelFormatError(
                folder,
                expected=f"a model folder with {CARD_FILE} and {WEIGHTS_FILE}",
                received=f"no {name}",
            )
    path = folder / CARD_FILE
    card = from_plain(read_json(path), ModelCard, path=path)
    if card.kind not in KINDS:
        raise ModelFormatError(
            path, expected=f"kind to be one of {KINDS}", received=repr(card.kind)
        )
    return card
