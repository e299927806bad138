# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets and addresses of settings: which protocol gets what; nothing is run."""

from __future__ import annotations

import re

import pytest

from deepconsensus_plugin import protocols
from deepconsensus_plugin.commands.presets import PRESETS
from deepconsensus_plugin.commands.settings import PRESET_NAMES, parse_settings
from deepconsensus_plugin.commands.workflow import build_nodes, with_absolute_paths
from deepconsensus_plugin.core.calibration.thresholds import (
    ThresholdMode,
    ThresholdRule,
)
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.negatives.parameters import NegativesParameters
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
from deepconsensus_plugin.core.published import as_published
from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions
from deepconsensus_plugin.protocols.consensus.consensus_form import CONSENSUS
from deepconsensus_plugin.protocols.consensus.negatives_form import DRAWING
from deepconsensus_plugin.protocols.deep_consensus.select_form import THRESHOLD
from deepconsensus_plugin.protocols.deep_consensus.train_form import (
    INPUT_SIZE,
    TRAINING,
)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two pickers, labels and a micrograph in the working directory."""
    for name in ("alpha", "beta", "labels"):
        (tmp_path / name).mkdir()
    (tmp_path / "mic_1.mrc").touch()
    monkeypatch.chdir(tmp_path)


def _nodes(template: str, *words: str) -> list[dict]:
    common = ("micrographs=*.mrc", "samplingRate=2")
    settings = parse_settings(template, [*common, *words])
    return build_nodes(with_absolute_paths(settings))


def _build(*words: str) -> dict[str, dict]:
    nodes = _nodes("deep_consensus", "picks=alpha,beta", *words)
    return {node["object.className"]: node for node in nodes}


def _topaz(*words: str) -> dict[str, dict]:
    nodes = _nodes("topaz", "labels=labels", "boxSize=60", *words)
    return {node["object.label"]: node for node in nodes}


def _protocol(node: dict):
    """Return a protocol with the numbers and words of a node."""
    made = getattr(protocols, node["object.className"])()
    for name, value in node.items():
        is_scalar = not isinstance(value, list) and ".output" not in str(value)
        if is_scalar and made.getParam(name) is not None:
            made.setAttributeValue(name, value)
    return made


# -------------------------- presets --------------------------
def test_every_preset_that_can_be_named_is_there():
    assert tuple(PRESETS) == PRESET_NAMES
    classes = {name for by_class in PRESETS.values() for name in by_class}
    assert classes <= {*protocols.__all__}


def test_the_preset_of_the_paper_is_the_paper(folders):
    by_class = _build("preset=paper")
    picks = CONSENSUS.read(_protocol(by_class["ProtDeepConsensusPicks"]))
    assert picks == as_published(ConsensusRules, min_pickers=2)
    assert (picks.consensus_radius, picks.merge_radius) == (0.1, 0.1)
    drawn = DRAWING.read(_protocol(by_class["ProtDeepConsensusNegatives"]))
    assert drawn == as_published(NegativesParameters)
    trained = _protocol(by_class["ProtDeepConsensusTrain"])
    assert TRAINING.read(trained) == as_published(TrainingParameters)
    assert INPUT_SIZE.value_of("input_size", trained) == 128
    assert by_class["ProtDeepConsensusScore"]["combineEvidence"] is False
    selected = THRESHOLD.read(_protocol(by_class["ProtDeepConsensusSelect"]))
    assert (selected.mode, selected.threshold) == (ThresholdMode.FIXED, 0.5)


def test_the_library_has_the_paper_too():
    options = DeepConsensusOptions.published(3)
    assert options.consensus == as_published(ConsensusRules, min_pickers=3)
    assert options.training == as_published(TrainingParameters)
    assert options.fusion_seed is None
    assert options.threshold == as_published(ThresholdRule)


def test_what_is_written_out_wins_over_the_preset(folders):
    by_class = _build("preset=paper", "nModels=3", "mergeRadius=0.2", "threshold=0.7")
    assert by_class["ProtDeepConsensusTrain"]["nModels"] == 3
    assert by_class["ProtDeepConsensusTrain"]["learningRate"] == 1e-4
    assert by_class["ProtDeepConsensusPicks"]["mergeRadius"] == 0.2
    assert by_class["ProtDeepConsensusSelect"]["threshold"] == 0.7
    by_class = _build("preset=paper", "thresholdMode=automatic", "minPickers=1")
    assert by_class["ProtDeepConsensusSelect"]["thresholdMode"] == 2
    assert by_class["ProtDeepConsensusPicks"]["minPickers"] == 1


def test_a_preset_is_for_the_protocols_that_it_names(folders):
    by_label = _topaz("preset=paper")
    assert by_label["network"]["learningRate"] == 1e-4
    assert "learningRate" not in by_label["Topaz"]
    assert "batchSize" not in by_label["scores"]
    assert _build("preset=fast")["ProtDeepConsensusTrain"]["inputSize"] == 64


def test_all_pickers_are_those_of_each_consensus(folders):
    words = ("picks=alpha,beta", "minPickers=all")
    nodes = _nodes("deep_consensus_topaz", *words)
    wanted = [node["minPickers"] for node in nodes if "minPickers" in node]
    assert wanted == [2, 3]


def test_a_preset_that_sets_nothing_is_refused(folders):
    message = "preset=paper: the template pick_without_training has no protocol"
    with pytest.raises(ValueError, match=message):
        _nodes("pick_without_training", "preset=paper")


# -------------------------- which protocol is meant --------------------------
def test_a_name_of_two_trainings_needs_the_label_of_one(folders):
    message = (
        "nEpochs: it is a setting of Topaz and of network. Say which is meant: "
        "'Topaz.nEpochs=…' or 'network.nEpochs=…'"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        _topaz("nEpochs=3")
    by_label = _topaz("network.nEpochs=3", "Topaz.nEpochs=4", "Topaz.learningRate=1e-3")
    assert (by_label["network"]["nEpochs"], by_label["Topaz"]["nEpochs"]) == (3, 4)
    assert by_label["Topaz"]["learningRate"] == 1e-3
    assert "learningRate" not in by_label["network"]


def test_what_means_the_same_everywhere_needs_no_label(folders):
    by_label = _topaz("seed=7", "numberOfThreads=3")
    for label in ("Topaz", "negatives", "network", "scores"):
        assert by_label[label]["seed"] == 7
        assert by_label[label]["numberOfThreads"] == 3
    assert _topaz("seed=7", "Topaz.seed=8")["Topaz"]["seed"] == 8


def test_a_label_reaches_fields_of_the_template_too(folders):
    words = ("particleDiameter=120", "rotational correlation.particleDiameter=90")
    nodes = _nodes("deep_consensus_classical", *words)
    pickers = [n for n in nodes if n["object.className"] == "ProtClassicalPick"]
    assert [node["particleDiameter"] for node in pickers] == [120, 90]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("nowhere.nEpochs=3", "no protocol of this template is labelled 'nowhere'"),
        ("network.nEpoch=3", "nEpoch: not a setting.*Did you mean nEpochs"),
        ("network.consensusRadius=3", "consensusRadius: not a setting"),
        ("network.nEpochs=x", "nEpochs: expected a whole number, received 'x'"),
    ],
)
def test_addresses_that_lead_nowhere_are_refused(folders, word, message):
    with pytest.raises(ValueError, match=message):
        _topaz(word)


# -------------------------- without effect --------------------------
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["minPrecision=0.9"],
            "minPrecision: it has no effect with thresholdMode=Auto",
        ),
        (["asPublished=yes", "nModels=2"], "nModels: .* with asPublished=yes"),
        (["minPickers=2", "minPositives=9"], "minPositives: .* with minPickers=2"),
        (
            ["autoStopping=no", "patience=9"],
            "patience: .* with asPublished=no and autoStopping=no",
        ),
    ],
)
def test_settings_without_effect_are_refused(folders, words, message):
    with pytest.raises(ValueError, match=message):
        _build(*words)


def test_settings_with_an_effect_are_not(folders):
    assert _build("thresholdMode=precision", "minPrecision=0.9")
    assert _build("patience=9", "useGpu=no", "doInvert=yes")
    assert _build("asPublished=yes", "halfPrecision=no", "maxBoxes=9")
