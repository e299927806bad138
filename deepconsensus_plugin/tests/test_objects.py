# SPDX-License-Identifier: GPL-3.0-or-later
"""Scipion object of a model."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.networks.card import TrainingSet
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.serialisation import to_plain, write_json
from deepconsensus_plugin.objects import ParticleClassifier


def test_the_card_tells_what_it_is(tmp_path):
    card = EnsembleCard(
        kind="deep_consensus",
        n_models=3,
        box_size=90,
        sampling_rate=3.54,
        preprocessing=BoxPreprocessing(),
        training=TrainingParameters(),
        training_sets=[TrainingSet("AND", True, 500, 1.0)],
    )
    write_json(tmp_path / "card.json", to_plain(card))
    (tmp_path / "model.keras").touch()
    model = ParticleClassifier(tmp_path)
    assert model.getFolder() == str(tmp_path)
    assert model.getCard() == card
    assert (model.getKind(), model.getBoxSize()) == ("deep_consensus", 90)
    assert (model.getSamplingRate(), model.getNumberOfModels()) == (3.54, 3)
    assert str(model) == "ParticleClassifier (deep_consensus x 3, 90 px, 3.54 Å/px)"
    assert model.getFiles() == {
        str(tmp_path / name) for name in ("model.keras", "card.json")
    }


@pytest.mark.parametrize("text", [None, "{", '{"schema": 1}'])
def test_a_broken_model_can_still_be_shown(tmp_path, text):
    if text is not None:
        (tmp_path / "card.json").write_text(text)
        (tmp_path / "model.keras").touch()
    model = ParticleClassifier(tmp_path)
    assert str(model) == f"ParticleClassifier (no model in {tmp_path})"


def test_it_is_shown_without_a_folder():
    assert "no model" in str(ParticleClassifier())


@pytest.mark.slow
def test_cards_are_read_without_keras():
    """Scipion imports this module at every start."""
    code = (
        "import sys, deepconsensus_plugin.objects, deepconsensus_plugin.convert\n"
        "sys.exit(1 if {'keras', 'tensorflow'} & set(sys.modules) else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
