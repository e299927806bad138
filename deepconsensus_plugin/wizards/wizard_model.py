# SPDX-License-Identifier: GPL-3.0-or-later
"""Wizard that lists the models of a library or a project, with their cards."""

from __future__ import annotations

from pyworkflow.gui.dialog import ListDialog
from pyworkflow.gui.tree import TreeProvider
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.calibration.network_grounds import describe_held_out
from deepconsensus_plugin.core.library import KnownModel, find_models
from deepconsensus_plugin.core.networks.card import ModelCard
from deepconsensus_plugin.core.pickers.trained.card import PickerCard
from deepconsensus_plugin.protocols import ProtImportModel
from deepconsensus_plugin.wizards.form_wizard import FormWizard

_PARAM = "modelName"
_COLUMNS = (
    ("Model", 260),
    ("Networks", 80),
    ("Box (Å)", 80),
    ("Pixel size (Å/px)", 110),
    ("Training boxes", 140),
    ("ROC-AUC or AP (held out)", 180),
)


class DeepConsensusModelWizard(FormWizard):
    """Lists models with what they are, to choose one."""

    _title = "Model"
    _targets = [(ProtImportModel, [_PARAM])]

    def describeFault(self, protocol: Protocol) -> str:
        """Return why there are no models to choose from."""
        folder = protocol.getSourceFolder()
        try:
            found = usableModels(protocol)
        except NotADirectoryError as error:
            return f"{error}. Choose the folder of a project or of a library first."
        return "" if found else f"{folder} contains no model that can be used."

    def openWindow(self, form) -> None:
        """Open the window."""
        dialog = ListDialog(
            form.root,
            self._title,
            ModelsProvider(usableModels(form.protocol)),
            f"Models in {form.protocol.getSourceFolder()}",
            selectmode="browse",
            selectOnDoubleClick=True,
        )
        if dialog.resultYes() and dialog.values:
            form.setVar(_PARAM, dialog.values[0].model.name)


class ModelLine:
    """A model in a list of Scipion's, which adds attributes of its own."""

    def __init__(self, model: KnownModel):
        self.model = model


class ModelsProvider(TreeProvider):
    """Models as lines of a list.

    Parameters
    ----------
    models : list of KnownModel
        With cards.
    """

    def __init__(self, models: list[KnownModel]):
        super().__init__()
        self._lines = [ModelLine(model) for model in models]

    def getColumns(self) -> list[tuple[str, int]]:
        """Return names and widths of the columns."""
        return list(_COLUMNS)

    def getObjects(self) -> list[ModelLine]:
        """Return the models."""
        return self._lines

    def getObjectInfo(self, obj: ModelLine) -> dict[str, object]:
        """Return the line of a model."""
        name, card = obj.model.name, obj.model.card
        values = (
            card.n_models,
            f"{card.box_extent_A:.0f}",
            f"{card.sampling_rate:.3g}",
            f"{sum(each.n_boxes for each in card.training_sets):,}",
            _describeFigure(card),
        )
        return {"key": name, "text": name, "values": values}


def _describeFigure(card: ModelCard) -> str:
    """Return the result of the validation: area under ROC, or average precision.

    Empty where there was no validation, or one on too few boxes.
    """
    if isinstance(card, PickerCard):
        figures = [] if card.validation is None else [card.validation.average_precision]
    else:
        figures = [
            figures.roc_auc
            for figures in card.validation
            if describe_held_out(figures.n_positives, figures.n_negatives) is None
        ]
    return f"{sum(figures) / len(figures):.3f}" if figures else ""


def usableModels(protocol: Protocol) -> list[KnownModel]:
    """Return the models in the folder of a form that can be read."""
    found = find_models(protocol.getSourceFolder())
    return [model for model in found if not model.fault]
