# SPDX-License-Identifier: GPL-3.0-or-later
"""Import of a model: copied whole, or refused with the reason."""

from __future__ import annotations

import shutil
from pathlib import Path

from deepconsensus_plugin.core.models.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.protocols import ProtImportModel
from deepconsensus_plugin.tests.stored_sets import write_untrained_model
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE, SyntheticProject


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

    def test_a_wrong_folder_is_refused_with_the_reason(self):
        for number, (spoil, reason) in enumerate(
            (
                (shutil.rmtree, "is no folder"),
                (lambda f: (f / CARD_FILE).unlink(), f"has no {CARD_FILE}"),
                (lambda f: (f / WEIGHTS_FILE).write_text("half"), "is damaged"),
                (lambda f: (f / CARD_FILE).write_text("{}"), "expected schema 1"),
                (
                    lambda f: (f / CARD_FILE).write_text('{"schema": 1}'),
                    "not written by this plugin",
                ),
            )
        ):
            folder = Path(self.data) / f"spoilt_{number}"
            shutil.copytree(self.folder, folder)
            spoil(folder)
            protocol = self.newProtocol(ProtImportModel, modelPath=str(folder))
            with self.subTest(reason=reason):
                self.assertIn(reason, protocol.validate()[0])
