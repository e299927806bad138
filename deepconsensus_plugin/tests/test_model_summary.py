# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of a model: what was left out for its labels is mentioned, or nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.label_noise import LabelNoise
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.metrics.classification import classification_metrics
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.protocols.shared.model_summary import (
    describeMethods,
    describeModel,
)


def _card(noise: LabelNoise | None) -> EnsembleCard:
    return EnsembleCard(
        kind="deep_consensus",
        n_models=3,
        box_size=90,
        sampling_rate=3.54,
        preprocessing=BoxPreprocessing(),
        training=TrainingParameters(),
        training_sets=[],
        label_noise=noise,
    )


def test_labels_that_look_wrong_are_counted():
    card = _card(LabelNoise(0.123, 0.01, n_particles=40, n_background=3))

    (line,) = [text for text in describeModel(card) if "Suspect labels" in text]
    assert "12.3% of positives, 1.0% of negatives" in line
    assert "40 + 3 boxes removed" in line
    assert "43 further boxes were removed as likely mislabelled" in describeMethods(
        card
    )
    assert "[Northcutt2021]" in describeMethods(card)


def test_where_none_was_left_out_a_paper_says_nothing():
    for noise in (None, LabelNoise(0.0, 0.001, n_particles=0, n_background=0)):
        assert "Northcutt" not in describeMethods(_card(noise))
    assert not [t for t in describeModel(_card(None)) if "Suspect labels" in t]


@pytest.mark.parametrize(
    ("n", "shift", "is_warned"), [(30, 0.0, True), (30, 2.0, False), (5, 0.0, False)]
)
def test_networks_no_better_than_chance_are_warned_of(n, shift, is_warned):
    scores = np.linspace(0, 1, n)
    labels = np.repeat([True, False], n)
    figures = classification_metrics(labels, np.concatenate([scores + shift, scores]))
    card = replace(_card(None), validation=[figures])
    said = [line for line in describeModel(card) if line.startswith("WARNING")]
    assert bool(said) == is_warned
    assert not said or "no better than chance (ROC-AUC 0.50)" in said[0]
