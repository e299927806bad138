# SPDX-License-Identifier: GPL-3.0-or-later
"""The wizards of forms: what they need, what they show, and what they fill in."""

from __future__ import annotations

from types import SimpleNamespace
from unittest import mock

import numpy as np
from pwem import Domain
from pyworkflow.viewer import DESKTOP_TKINTER

from deepconsensus_plugin import wizards
from deepconsensus_plugin.protocols import (
    ProtClassicalPick,
    ProtDeepConsensusMask,
    ProtDeepConsensusPicks,
    ProtDeepConsensusScreen,
    ProtDeepConsensusSelect,
    ProtImportPicks,
    ProtTopazTrain,
)
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
    store_scored,
)
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE, SyntheticProject
from deepconsensus_plugin.wizards import (
    form_wizard,
    wizard_consensus_radius,
    wizard_sizes,
    wizard_threshold,
)


class Form:
    """Stand-in for a form, with what a wizard uses; `values` is what it filled in."""

    def __init__(self, protocol):
        self.protocol, self.root = protocol, None
        self.values: dict[str, float] = {}

    def setVar(self, name, value):
        self.values[name] = value


class TestWizards(SyntheticProject):
    """Two pickers that are 3 px apart on one micrograph."""

    names = ("mic_1.mrc", "mic_2.mrc")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        yx = cls.truth[cls.names[0]]
        cls.picks = [
            store_coordinates(cls, {cls.names[0]: yx + shift}) for shift in (0, 3)
        ]

    def consensus(self, *picks, **options) -> ProtDeepConsensusPicks:
        protocol = self.newProtocol(ProtDeepConsensusPicks, **options)
        protocol.inputCoordinates.set(list(picks))
        return protocol

    def refusal(self, wizard: type, protocol) -> str:
        """Return what a wizard says instead of opening a window."""
        with mock.patch.object(form_wizard.dialog, "showWarning") as shown:
            wizard().show(Form(protocol))
        (_, message, _), _ = shown.call_args
        return message

    def test_every_wizard_is_found_at_its_parameter(self):
        for name in wizards.__all__:
            for kind, params in getattr(wizards, name)._targets:
                protocol = self.newProtocol(kind)
                found = Domain.findWizards(protocol, DESKTOP_TKINTER)
                for param in params:
                    with self.subTest(name, param=param):
                        self.assertIsNotNone(protocol.getParam(param))
                        self.assertIs(found[param], getattr(wizards, name))

    def test_forms_without_input_say_what_is_needed(self):
        for wizard, kind, wanted in (
            (wizards.DeepConsensusBoxSizeWizard, ProtImportPicks, "the micrographs"),
            (wizards.DeepConsensusBoxSizeWizard, ProtClassicalPick, "the micrographs"),
            (wizards.DeepConsensusDiameterWizard, ProtClassicalPick, "the micrographs"),
            (
                wizards.DeepConsensusDiameterWizard,
                ProtDeepConsensusMask,
                "the micrographs",
            ),
            (wizards.DeepConsensusDiameterWizard, ProtTopazTrain, "sets of picks"),
            (
                wizards.DeepConsensusBoxSizeWizard,
                ProtDeepConsensusPicks,
                "sets of picks",
            ),
            (wizards.DeepConsensusRadiusWizard, ProtDeepConsensusPicks, "two pickers"),
            (wizards.DeepConsensusRadiusWizard, ProtDeepConsensusScreen, "two pickers"),
            (
                wizards.DeepConsensusBoxSizeWizard,
                ProtDeepConsensusScreen,
                "sets of picks",
            ),
            (
                wizards.DeepConsensusThresholdWizard,
                ProtDeepConsensusScreen,
                "no scores yet",
            ),
            (
                wizards.DeepConsensusThresholdWizard,
                ProtDeepConsensusSelect,
                "scored particles",
            ),
        ):
            with self.subTest(wizard.__name__, kind=kind.__name__):
                self.assertIn(wanted, self.refusal(wizard, self.newProtocol(kind)))
        plain = new_protocol(
            type(self), ProtDeepConsensusSelect, inputCoordinates=self.picks[0]
        )
        message = self.refusal(wizards.DeepConsensusThresholdWizard, plain)
        self.assertIn("has no scores", message)
        one = self.consensus(self.picks[0])
        message = self.refusal(wizards.DeepConsensusRadiusWizard, one)
        self.assertIn("at least two pickers", message)

    def test_sizes_are_measured_on_the_micrographs_of_the_form(self):
        classical = self.newProtocol(ProtClassicalPick, particleDiameter=50)
        classical.inputMicrographs.set(self.micrographs)
        consensus = self.consensus(*self.picks, boxSize=BOX)
        masking = self.newProtocol(ProtDeepConsensusMask)
        masking.inputMicrographs.set(self.micrographs)
        learning = self.newProtocol(ProtTopazTrain)
        learning.inputCoordinates.set(self.picks[0].get())
        for wizard, protocol, param, value in (
            (wizards.DeepConsensusDiameterWizard, learning, "particleDiameter", None),
            (wizards.DeepConsensusDiameterWizard, masking, "particleDiameter", None),
            (wizards.DeepConsensusBoxSizeWizard, classical, "boxSize", None),
            (wizards.DeepConsensusDiameterWizard, classical, "particleDiameter", 50),
            (wizards.DeepConsensusBoxSizeWizard, consensus, "boxSize", BOX),
        ):
            form = Form(protocol)
            with (
                self.subTest(param, protocol=protocol.getClassName()),
                mock.patch.object(wizard_sizes, "ValueDialog") as opened,
                mock.patch.object(wizard_sizes, "SizeFrame") as frame,
            ):
                wizard().show(form)
                _, _, make_frame, accept = opened.call_args.args
                make_frame(None)
                accept(64)
                self.assertEqual(form.values, {param: 64})
                (_, shown, measure), options = frame.call_args
                self.assertEqual(shown.names, self.names)
                self.assertTrue(shown.paths[0].is_file())
                self.assertEqual(measure.sampling_rate, SAMPLING_RATE)
                self.assertEqual(options["value"], value)
                self.assertEqual(
                    options["estimate"] is not None, param == "particleDiameter"
                )

    def test_the_radius_is_chosen_by_what_it_makes_of_the_picks(self):
        form = Form(self.consensus(*self.picks, consensusRadius=0.15))
        with (
            mock.patch.object(wizard_consensus_radius, "ValueDialog") as opened,
            mock.patch.object(wizard_consensus_radius, "RadiusFrame") as frame,
        ):
            wizards.DeepConsensusRadiusWizard().show(form)
            _, _, make_frame, accept = opened.call_args.args
            make_frame(None)
        accept(0.2)
        self.assertEqual(form.values, {"consensusRadius": 0.2})
        (_, study, shown), options = frame.call_args
        self.assertEqual(options["value"], 0.15)
        self.assertEqual((study.box_size, study.merge_radius), (BOX, 0.3))
        self.assertEqual(shown.names, study.micrographs)
        # The pickers are 3 √2 = 4.2 px apart: 0.11 of the box.
        agreed = [
            (study.candidates_at(radius).agreement == 2).sum() for radius in (0.1, 0.12)
        ]
        n_particles = len(self.truth[self.names[0]])
        np.testing.assert_array_equal(agreed, [0, n_particles])

    def test_the_threshold_is_chosen_in_the_window_of_scores(self):
        scored = store_scored(type(self), [0.9, 0.6, 0.2], particles=False)
        form = Form(
            new_protocol(
                type(self),
                ProtDeepConsensusSelect,
                inputCoordinates=output(scored, "outputCoordinates"),
                threshold=0.4,
            )
        )
        root = SimpleNamespace(after_idle=mock.Mock())
        with mock.patch.object(wizard_threshold, "ScoreWindow") as window:
            window.return_value = mock.Mock(root=root)
            wizards.DeepConsensusThresholdWizard().show(form)
        (read,), options = window.call_args
        self.assertEqual(read().table.score.tolist(), [0.9, 0.6, 0.2])
        self.assertEqual(options["threshold"], 0.4)
        (action,) = options["actions"]
        self.assertIn("0.71", action.run(0.71))
        self.assertEqual(form.values, {"threshold": 0.71})
        root.after_idle.assert_called_once()
