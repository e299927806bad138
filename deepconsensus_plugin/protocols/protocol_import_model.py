# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: bring a trained model into the project."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import pyworkflow.protocol.params as params
from pwem.protocols import ProtImport

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.models.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.objects import ParticleClassifier
from deepconsensus_plugin.protocols.continuation import fingerprint
from deepconsensus_plugin.protocols.model_summary import countNetworks, describeModel


class ProtImportModel(ProtImport):
    """Bring the folder of a trained model into the project.

    The folder is copied, so that the project stays whole without the original.
    """

    _label = "import model"
    _possibleOutputs = {"outputModel": ParticleClassifier}

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Import")
        form.addParam(
            "modelPath",
            params.FolderParam,
            important=True,
            label="Model folder",
            help=f"Folder with *{WEIGHTS_FILE}* and *{CARD_FILE}*, as *train network* "
            "writes: *extra/model* in the folder of its run, in any project.",
        )

    # -------------------------- steps --------------------------
    def _insertAllSteps(self):
        form = fingerprint(self)
        self._insertFunctionStep(self.importModelStep, form, needsGPU=False)
        self._insertFunctionStep(self.createOutputStep, form, needsGPU=False)

    def importModelStep(self, form):
        """Copy the two files of the model; the card last, it means *complete*."""
        target = Path(self._modelFolder())
        target.mkdir(exist_ok=True)
        (target / CARD_FILE).unlink(missing_ok=True)
        for name in (WEIGHTS_FILE, CARD_FILE):
            shutil.copyfile(
                Path(self.modelPath.get().strip()).expanduser() / name, target / name
            )

    def createOutputStep(self, form):
        """Register the model."""
        self._defineOutputs(outputModel=ParticleClassifier(self._modelFolder()))

    # -------------------------- information --------------------------
    def _validate(self):
        folder = Path(self.modelPath.get("").strip()).expanduser()
        if not self.modelPath.get("").strip() or not folder.is_dir():
            return [f"Model folder: '{self.modelPath.get('')}' is no folder."]
        missing = [
            name for name in (WEIGHTS_FILE, CARD_FILE) if not (folder / name).is_file()
        ]
        if missing:
            return [
                f"Model folder: {folder} has no {' and no '.join(missing)}. Choose the "
                "folder *extra/model* of a run of *train network*, or a copy of it."
            ]
        if not zipfile.is_zipfile(folder / WEIGHTS_FILE):
            return [
                f"Model folder: {folder / WEIGHTS_FILE} is damaged (no Keras archive). "
                "Copy it again from where it was made."
            ]
        try:
            ParticleClassifier(folder).getCard()
        except FileFormatError as error:
            return [f"Model folder: {error}. It was not written by this plugin."]
        return []

    def _summary(self):
        if not self.hasAttribute("outputModel"):
            return ["Not run yet."]
        return [
            f"Imported from {self.modelPath.get()}.",
            *describeModel(self.outputModel.getCard()),
        ]

    def _methods(self):
        if not self.hasAttribute("outputModel"):
            return []
        networks = countNetworks(self.outputModel.getCard())
        return [f"{networks} [SanchezGarcia2018], trained before, was used."]

    def _citations(self):
        return ["SanchezGarcia2018"]

    def _modelFolder(self) -> str:
        return self._getExtraPath("model")
