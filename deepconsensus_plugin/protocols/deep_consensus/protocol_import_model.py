# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: import a trained model into the project."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

import pyworkflow.protocol.params as params
from pwem.protocols import ProtImport

from deepconsensus_plugin.constants import DEEPCONSENSUS_MODELS
from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.library import KnownModel, find_models
from deepconsensus_plugin.core.methods import find_method
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.core.pickers.hydra.parameters import GENERAL
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.pipeline.try_model_request import TryModelRequest
from deepconsensus_plugin.objects import ParticleClassifier
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.core_jobs import jobsIn
from deepconsensus_plugin.protocols.shared.model_summary import (
    countNetworks,
    describeModel,
)


class ProtImportModel(Appearance, ProtImport):
    """Import a trained model from another project, a library or any folder.

    The model is copied, so that the project does not depend on the original.
    """

    _label = "import model"
    _possibleOutputs = {"outputModel": ParticleClassifier}

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Import")
        form.addParam(
            "modelPath",
            params.FolderParam,
            allowsNull=True,
            important=True,
            label="Folder",
            help=f"Folder of a model (with the files *{WEIGHTS_FILE}* and "
            f"*{CARD_FILE}*, as in *extra/model* of a run of *train network*), of a "
            "Scipion project, or of a library, which holds one folder per model.\n"
            f"*{GENERAL}*: the general HydraPicker, which comes with this package.\n"
            "Auto (empty): your library, the folder that the variable "
            f"*{DEEPCONSENSUS_MODELS}* names.",
        )
        form.addParam(
            "modelName",
            params.StringParam,
            allowsNull=True,
            label="Model",
            help="Name of the model, needed if the folder holds several. The wand "
            "lists them with the data they were trained on, as the command *python "
            "-m deepconsensus_plugin models* does.",
        )

    # -------------------------- steps --------------------------
    def _insertAllSteps(self):
        form = fingerprint(self)
        self._insertFunctionStep(self.importModelStep, form, needsGPU=False)
        self._insertFunctionStep(self.tryModelStep, form, needsGPU=False)
        self._insertFunctionStep(self.createOutputStep, form, needsGPU=False)

    def importModelStep(self, form):
        """Copy the two files of the model."""
        target = Path(self._modelFolder())
        target.mkdir(exist_ok=True)
        (target / CARD_FILE).unlink(missing_ok=True)
        source = self._chosenModel().folder
        for name in (WEIGHTS_FILE, CARD_FILE):
            with whole_file(target / name) as partial:
                shutil.copyfile(source / name, partial)

    def tryModelStep(self, form):
        """Load the copy in a process of its own, and score noise with it."""
        model = Path(self._modelFolder())
        with ExitStack() as stack:
            stack.callback((model / CARD_FILE).unlink)  # a model that fails is none
            jobsIn(Path(self._getExtraPath()), self)(TryModelRequest(model))
            stack.pop_all()

    def createOutputStep(self, form):
        """Register the model."""
        self._defineOutputs(outputModel=ParticleClassifier(self._modelFolder()))

    # -------------------------- information --------------------------
    def _validate(self):
        try:
            model = self._chosenModel()
        except (OSError, ValueError) as error:
            return [str(error)]
        if model.fault:
            return [
                f"Model: {model.fault}. Choose the folder *extra/model* of a run of "
                "*train network*, or a copy of it."
            ]
        return []

    def _summary(self):
        if not self.hasAttribute("outputModel"):
            return ["Not run yet."]
        return [
            f"Imported from {self._describeSource()}.",
            *describeModel(self.outputModel.getCard()),
        ]

    def _methods(self):
        if not self.hasAttribute("outputModel"):
            return []
        networks = countNetworks(self.outputModel.getCard())
        return [f"{networks} [{self._citations()[0]}], trained before, was used."]

    def _citations(self):
        if not self.hasAttribute("outputModel"):
            return []
        return [find_method(self.outputModel.getKind()).citation]

    # -------------------------- shared --------------------------
    def getSourceFolder(self) -> Path:
        """Return the folder that models are looked for in."""
        given = self.modelPath.get("").strip()
        if given == GENERAL:
            return general_model()
        return Path(given).expanduser() if given else Plugin.getModelsFolder()

    def _chosenModel(self) -> KnownModel:
        """Return the model that the form names.

        Raises
        ------
        OSError, ValueError
            If there is none, or it is not clear which; says what there is.
        """
        folder, name = self.getSourceFolder(), self.modelName.get("").strip()
        models = find_models(folder)
        if not models:
            raise ValueError(f"Folder: {folder} contains no model.")
        chosen = [model for model in models if name in ("", model.name)]
        if len(chosen) != 1:
            names = ", ".join(model.name for model in models)
            wrong = f"there is no {name!r}" if name else "the folder contains several"
            raise ValueError(f"Model: {wrong}; the models in {folder} are {names}.")
        return chosen[0]

    def _describeSource(self) -> str:
        name = self.modelName.get("").strip()
        return f"{self.getSourceFolder()}{f' ({name})' if name else ''}"

    def _modelFolder(self) -> str:
        return self._getExtraPath("model")
