# SPDX-License-Identifier: GPL-3.0-or-later
"""Import of a model: copied whole, or refused with the reason."""

from __future__ import annotations

import io
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from deepconsensus_plugin import Plugin
from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.constants import DEEPCONSENSUS_MODELS
from deepconsensus_plugin.core.library import find_models
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.protocols import ProtImportModel
from deepconsensus_plugin.tests.stored_sets import write_untrained_model
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE, SyntheticProject
from deepconsensus_plugin.wizards.wizard_model import (
    DeepConsensusModelWizard,
    ModelsProvider,
    usableModels,
)


class TestImportModel(SyntheticProject):
    """One good folder, and every way a folder can be wrong."""

    names = ("mic_1.mrc",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = write_untrained_model(Path(cls.data) / "model", n_models=2)

    def test_the_project_gets_a_copy(self):
        original = Path(self.data) / "moved"
        shutil.copytree(self.folder, original)
        protocol = self.newProtocol(ProtImportModel, modelPath=str(original))
        self.assertEqual(protocol.validate(), [])
        self.assertEqual(protocol.summary(), ["Not run yet."])
        self.launchProtocol(protocol)
        shutil.rmtree(original)

        model = protocol.outputModel
        self.assertEqual((model.getBoxSize(), model.getNumberOfModels()), (BOX, 2))
        self.assertEqual(model.getSamplingRate(), SAMPLING_RATE)
        copied = (Path(model.getFolder()) / WEIGHTS_FILE).read_bytes()
        self.assertEqual(copied, (self.folder / WEIGHTS_FILE).read_bytes())
        self.assertIn("Ensemble of 2, box 40 px", "\n".join(protocol.summary()))
        self.assertIn("ensemble of 2 convolutional", protocol.methods()[0])

    def test_the_general_picker_comes_with_the_package(self):
        protocol = self.newProtocol(ProtImportModel, modelPath="general")
        self.assertEqual(protocol.validate(), [])
        self.launchProtocol(protocol)
        self.assertEqual(protocol.outputModel.getKind(), "hydra")
        summary = "\n".join(protocol.summary())
        self.assertIn("HydraPicker", summary)
        self.assertRegex(summary, r"Trained on \d+ particles of \d+ data sets\.")

    def test_a_wrong_folder_is_refused_with_the_reason(self):
        for number, (spoil, reason) in enumerate(
            (
                (shutil.rmtree, "no such folder; expected one with models"),
                (lambda f: (f / CARD_FILE).unlink(), f"no {CARD_FILE}"),
                (lambda f: (f / WEIGHTS_FILE).write_text("half"), "is damaged"),
                (lambda f: (f / CARD_FILE).write_text("{}"), "expected schema 1"),
                (
                    lambda f: (f / CARD_FILE).write_text('{"schema": 1}'),
                    "kind to be one of",
                ),
            )
        ):
            folder = Path(self.data) / f"spoilt_{number}"
            shutil.copytree(self.folder, folder)
            spoil(folder)
            protocol = self.newProtocol(ProtImportModel, modelPath=str(folder))
            with self.subTest(reason=reason):
                self.assertIn(reason, protocol.validate()[0])

    def test_a_model_is_taken_from_a_library_or_a_project_by_its_name(self):
        library = Path(self.data) / "library"
        for name in ("ribosome", "krios/apoferritin", "Runs/000007_Train/extra/model"):
            shutil.copytree(self.folder, library / name)
        (library / "ribosome" / CARD_FILE).write_text("{}")
        names = ["000007_Train", "krios/apoferritin", "ribosome"]
        self.assertEqual([model.name for model in find_models(library)], names)
        for name, refusal in (
            (
                None,
                f"the folder contains several; the models in {library} are "
                f"{', '.join(names)}",
            ),
            ("apoferritin", "there is no 'apoferritin'"),
            ("ribosome", "expected schema 1"),
            ("krios/apoferritin", None),
            ("000007_Train", None),
        ):
            protocol = self.newProtocol(
                ProtImportModel, modelPath=str(library), modelName=name
            )
            with self.subTest(name):
                errors = protocol.validate()
                self.assertEqual(len(errors), refusal is not None)
                self.assertIn(refusal or "", "".join(errors))
        with mock.patch.dict(Plugin._vars, {DEEPCONSENSUS_MODELS: str(library)}):
            own = self.newProtocol(ProtImportModel, modelName="krios/apoferritin")
            self.assertEqual(own.validate(), [])
            self.assertEqual(own.getSourceFolder(), library)
        provider = ModelsProvider(usableModels(protocol))
        self.assertEqual(
            [provider.getObjectInfo(model)["text"] for model in provider.getObjects()],
            ["000007_Train", "krios/apoferritin"],
        )
        line = provider.getObjectInfo(provider.getObjects()[0])["values"]
        self.assertEqual(line, (2, "100", "2.5", "12", ""))
        empty = Path(self.data) / "empty"
        empty.mkdir()
        protocol = self.newProtocol(ProtImportModel, modelPath=str(empty))
        self.assertIn("contains no model", protocol.validate()[0])
        fault = DeepConsensusModelWizard().describeFault(protocol)
        self.assertIn("no model that can be used", fault)

    def test_the_command_lists_cards_and_what_cannot_be_used(self):
        library = Path(self.data) / "listed"
        shutil.copytree(self.folder, library / "good")
        shutil.copytree(self.folder, library / "half")
        (library / "half" / WEIGHTS_FILE).unlink()
        printed = io.StringIO()
        with redirect_stdout(printed):
            status = main(["models", str(library)])
        self.assertEqual(status, 1)
        text = printed.getvalue()
        self.assertIn("good\n  Ensemble of 2, box 40 px at 2.5 Å/px = 100 Å", text)
        self.assertIn("half\n  CANNOT BE USED", text)
        with redirect_stdout(printed):
            self.assertEqual(main(["models", str(library / "good")]), 0)
        with redirect_stderr(printed):
            self.assertEqual(main(["models", str(library / "none")]), 1)
        self.assertIn("no such folder; expected one with models", printed.getvalue())
