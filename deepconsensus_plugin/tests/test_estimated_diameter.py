# SPDX-License-Identifier: GPL-3.0-or-later
"""Diameter of a picking run: the given one, or the estimate that is kept."""

from __future__ import annotations

import re
from unittest import mock

import pytest
from pyworkflow.object import Float, Integer

from deepconsensus_plugin.core.pickers.diameter.estimate import DiameterEstimate
from deepconsensus_plugin.core.pickers.diameter.looks import TRIALS_A
from deepconsensus_plugin.protocols.shared import estimated_diameter
from deepconsensus_plugin.protocols.shared.estimated_diameter import (
    chosenDiameter,
    describeDiameter,
    diameterOf,
)

LIKELY = [1 / len(TRIALS_A)] * len(TRIALS_A)
TOLD = DiameterEstimate(100.0, 90.0, 112.0, 3, TRIALS_A.tolist(), LIKELY)
NOT_TOLD = DiameterEstimate(None, 50.0, 300.0, 3, TRIALS_A.tolist(), LIKELY, "noise")


class Run:
    def __init__(self, folder, given):
        self.folder, self.said = folder, []
        self.particleDiameter, self.numberOfThreads = Float(given), Integer(1)

    def _getExtraPath(self, name):
        return str(self.folder / name)

    def info(self, sentence):
        self.said.append(sentence)


def diameter(run, estimate):
    with mock.patch.object(
        estimated_diameter, "estimate_diameter", return_value=estimate
    ) as asked:
        found = diameterOf(run, ["micrographs"], areDark=False)
    assert asked.call_args.args == (["micrographs"],)
    assert asked.call_args.kwargs["particles_dark"] is False
    return found


def test_an_empty_line_is_estimated_and_kept_with_a_picture(tmp_path):
    run = Run(tmp_path, None)
    assert (chosenDiameter(run), describeDiameter(run)) == (None, [])
    assert diameter(run, TOLD) == 100
    assert chosenDiameter(run) == 100
    assert (tmp_path / "diameter.png").stat().st_size > 1000
    (sentence,) = describeDiameter(run)
    assert sentence.startswith("Estimated diameter (longest): 100 Å (90 – 112 Å)")
    assert str(tmp_path / "diameter.png") in sentence


def test_a_given_diameter_counts_and_is_doubted_if_far_off(tmp_path):
    near, far = Run(tmp_path / "near", 90), Run(tmp_path / "far", 200)
    for run in (near, far):
        run.folder.mkdir()
        assert diameter(run, TOLD) == run.particleDiameter.get() == chosenDiameter(run)
    assert describeDiameter(near) == []
    (warning,) = describeDiameter(far)
    assert re.match(r"WARNING: .* given as 200 Å, .* of 100 Å", warning)


def test_without_any_the_run_ends_with_what_to_give(tmp_path):
    with pytest.raises(ValueError, match=r"3 micrographs: noise\. Give particleDiam"):
        diameter(Run(tmp_path, None), NOT_TOLD)
    run = Run(tmp_path, 80)
    assert diameter(run, NOT_TOLD) == 80
    assert describeDiameter(run) == []
