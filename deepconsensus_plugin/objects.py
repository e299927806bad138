# SPDX-License-Identifier: GPL-3.0-or-later
"""Scipion object of this plugin: a trained network."""

from __future__ import annotations

from pathlib import Path

from pwem.objects import EMObject
from pyworkflow.object import String

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.methods import Card, load_card_of
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE, ModelCard


class ParticleClassifier(EMObject):
    """Network that separates particles from background: a folder with its card.

    Parameters
    ----------
    folder : path, optional
        Holds ``model.keras`` and ``card.json``; relative to the project.
    """

    def __init__(self, folder: Path | str | None = None, **kwargs):
        super().__init__(**kwargs)
        self._folder = String(None if folder is None else str(folder))

    def getFolder(self) -> str | None:
        """Return the path of the model folder."""
        return self._folder.get()

    def setFolder(self, folder: Path | str) -> None:
        """Point it to another model folder."""
        self._folder.set(str(folder))

    def getCard(self, cardType: type[Card] = ModelCard) -> Card:
        """Return what the model is and was made from.

        Raises
        ------
        FileFormatError
            If the folder holds no model that this version knows.
        IncompatibleModelError
            If it is of another kind than those of `cardType`.
        """
        return load_card_of(Path(self.getFolder() or ""), cardType)

    def getKind(self) -> str:
        """Return which network it is."""
        return self.getCard().kind

    def getBoxSize(self) -> int:
        """Return the box of the training set, pixels of its micrographs."""
        return self.getCard().box_size

    def getSamplingRate(self) -> float:
        """Return Å/px of the micrographs it was trained on."""
        return self.getCard().sampling_rate

    def getNumberOfModels(self) -> int:
        """Return how many networks the ensemble has."""
        return self.getCard().n_models

    def getFiles(self) -> set[str]:
        """Return the files of the model."""
        folder = Path(self.getFolder() or "")
        return {str(folder / name) for name in (WEIGHTS_FILE, CARD_FILE)}

    def __str__(self) -> str:
        """Return one line for Scipion's summaries, also for a broken model."""
        try:
            card = self.getCard()
        except (OSError, FileFormatError):
            return f"{self.getClassName()} (no model in {self.getFolder()})"
        return (
            f"{self.getClassName()} ({card.kind} x {card.n_models}, "
            f"{card.box_size} px, {card.sampling_rate:.2f} Å/px)"
        )
