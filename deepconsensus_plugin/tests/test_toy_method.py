# SPDX-License-Identifier: GPL-3.0-or-later
"""Toy method: one folder and one registry entry are all that a new method needs."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

import pyworkflow.protocol.params as params

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.convert import coordinates_from_set
from deepconsensus_plugin.core import methods
from deepconsensus_plugin.core.errors import IncompatibleModelError
from deepconsensus_plugin.core.metrics import evaluate_detections
from deepconsensus_plugin.core.pickers.topaz.card import TopazCard
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import ProtImportModel, ProtNetworkPick
from deepconsensus_plugin.protocols.pickers.picker_form import (
    defineLabelParams,
    defineMicrographParams,
)
from deepconsensus_plugin.protocols.pickers.picker_protocol import (
    PickerTrainingProtocol,
)
from deepconsensus_plugin.protocols.shared.shared_forms import defineGpuParams
from deepconsensus_plugin.tests.in_process import run_here
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
)
from deepconsensus_plugin.tests.synthetic import BOX, SyntheticProject
from deepconsensus_plugin.tests.toy_method import TOY
from deepconsensus_plugin.tests.toy_method.card import ToyCard, ToyParameters
from deepconsensus_plugin.tests.toy_method.request import ToyTrainRequest


class ProtToyTrain(PickerTrainingProtocol):
    """Form of the toy method."""

    _label = "train toy picker"

    def _defineParams(self, form):
        defineGpuParams(form)
        form.addSection(label="Input")
        defineLabelParams(form, labels="Particles.")
        form.addHidden("seed", params.IntParam, default=1)
        form.addSection(label="Micrographs")
        defineMicrographParams(form)
        form.addParallelSection(threads=1, mpi=0)

    def _request(self, learnt, model):
        return ToyTrainRequest(learnt, ToyParameters(seed=self.seed.get()), model)


class TestToyMethod(SyntheticProject):
    """Trains, is stored, listed, imported, and picks."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        known = mock.patch.object(methods, "METHODS", (*methods.METHODS, TOY))
        known.start()
        cls.addClassCleanup(known.stop)
        labels = store_coordinates(cls, cls.truth)
        cls.train = new_protocol(
            cls, ProtToyTrain, inputCoordinates=labels, pixelSize=5.0
        )
        run_here(cls, cls.train)

    def test_training_stores_a_model_with_its_card(self):
        card = self.train.outputModel.getCard(ToyCard)
        self.assertEqual((card.kind, card.training.seed), ("toy", 1))
        self.assertGreater(card.validation.average_precision, 0.9)
        self.assertIn("toy picker for particles", self.train.summary()[0])
        with self.assertRaisesRegex(IncompatibleModelError, "received a toy picker"):
            self.train.outputModel.getCard(TopazCard)

    def test_models_are_listed(self):
        printed = io.StringIO()
        with redirect_stdout(printed):
            status = main(["models", str(Path(self.train.getModelFolder()).absolute())])
        self.assertEqual(status, 0)
        self.assertIn("toy picker for particles of 67 Å", printed.getvalue())

    def test_an_imported_model_picks(self):
        imported = new_protocol(
            type(self),
            ProtImportModel,
            modelPath=str(Path(self.train.getModelFolder()).absolute()),
        )
        self.assertEqual(imported.validate(), [])
        run_here(type(self), imported)
        self.assertEqual(imported._citations(), ["Zhu2017"])
        micrographs = self.proj.getProtocol(self.micrographs.getObjParentId())
        pick = new_protocol(
            type(self),
            ProtNetworkPick,
            inputMicrographs=output(micrographs, "outputMicrographs"),
            inputModel=output(imported, "outputModel"),
        )
        self.assertEqual(pick.validate(), [])
        run_here(type(self), pick)
        truth = {
            name: ScoredCoordinates.from_arrays(yx) for name, yx in self.truth.items()
        }
        found = coordinates_from_set(
            pick.outputCoordinates, micrographs=self.micrographs
        )
        figures = evaluate_detections(found, truth, radius_px=BOX / 4)
        self.assertGreater(figures.recall, 0.8)
        self.assertIn("by a toy picker", pick.summary()[0])
