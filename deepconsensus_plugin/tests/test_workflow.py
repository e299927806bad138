# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings and a template, made into protocols; nothing is run."""

from __future__ import annotations

import json

import pytest

from deepconsensus_plugin.commands.fields import read_template
from deepconsensus_plugin.commands.settings import parse_settings
from deepconsensus_plugin.commands.workflow import build_nodes, with_absolute_paths
from deepconsensus_plugin.core.pickers.trained.pick_threshold import PickThresholdMode
from deepconsensus_plugin.protocols.pickers.network_pick_form import THRESHOLD
from deepconsensus_plugin.report import forms


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Two pickers, the truth and a micrograph in the working directory."""
    for name in ("alpha", "particles", "truth", 'say "a\\b"'):
        (tmp_path / name).mkdir()
    (tmp_path / "mic_1.mrc").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _build(*words: str) -> list[dict]:
    given = {"micrographs": "*.mrc", "picks": "alpha,particles", "samplingRate": "2"}
    given |= dict(word.split("=", 1) for word in words)
    given = {name: value for name, value in given.items() if value != "(none)"}
    words = [f"{name}={value}" for name, value in given.items()]
    settings = parse_settings("deep_consensus", words)
    return build_nodes(with_absolute_paths(settings))


def _of(nodes: list[dict], class_name: str) -> list[dict]:
    return [node for node in nodes if node["object.className"] == class_name]


def test_fields_get_the_types_of_their_parameters(folders):
    nodes = _build("boxSize=90", "threshold=0.25", "samplingRate=3.54")
    assert [node["boxSize"] for node in _of(nodes, "ProtImportPicks")] == [90, 90]
    assert _of(nodes, "ProtDeepConsensusSelect")[0]["threshold"] == 0.25
    imported = _of(nodes, "ProtImportMicrographs")[0]
    assert (imported["samplingRate"], imported["voltage"]) == (3.54, 300.0)
    assert "~" not in json.dumps(nodes)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["boxSize=90.0"], "boxSize: expected a whole number, received '90.0'"),
        (["threshold=0,5"], "threshold: expected a number, received '0,5'"),
        (["samplingRate=3,54"], "samplingRate: expected a number, received '3,54'"),
        (["voltage=nan"], "voltage: expected a number, received 'nan'"),
        (["nEpochs=two"], "nEpochs: expected a whole number"),
        (
            ["thresholdMode=best"],
            "thresholdMode: expected one of: Score cutoff, Top",
        ),
        (["micrographs=(none)"], "micrographs: not given"),
        (["micrographs=x/*.mrc"], "micrographs: expected files, found none: '/"),
        (["picks=(none)"], "picksA: not given"),
        (["picks=(none)", "picksA=nowhere"], "picksA: expected files, found none"),
        (["picksA=alpha"], "picksA: it has no effect together with picks="),
        (["filesPath=alpha"], "filesPath: give picks=DIR"),
        (["pickerName=alpha"], "pickerName: give picks=DIR"),
        (["scale=2"], "scale: it belongs to one picker: picks=DIR:scale=…"),
        (["invertY=yes"], "invertY: it belongs to one picker"),
        (["inputMicrographs=1"], "inputMicrographs: not a setting"),
        (["matchRadius=0.3"], "matchRadius: not a setting"),
    ],
)
def test_what_would_fail_later_is_refused_by_name(folders, words, complaint):
    with pytest.raises(ValueError, match=complaint):
        _build(*words)


def test_paths_are_absolute_and_hold_any_character(folders):
    words = ("picks=(none)", "picksA=alpha", "picksB=particles")
    nodes = _build(*words, 'picksC=say "a\\b"', "micrographs=mic_#.mrc")
    paths = [node["filesPath"] for node in _of(nodes, "ProtImportPicks")]
    names = ("alpha", "particles", 'say "a\\b"')
    assert paths == [str(folders / name) for name in names]
    micrographs = _of(nodes, "ProtImportMicrographs")[0]["filesPath"]
    assert micrographs == str(folders / "mic_#.mrc")
    assert json.loads(json.dumps(nodes)) == nodes


def test_every_picker_has_a_label_that_no_other_protocol_has(folders):
    nodes = _build("truth=truth")
    labels = [node["object.label"] for node in nodes]
    assert len(set(labels)) == len(labels)
    assert {"picks of alpha", "picks of particles", "particles", "truth"} < {*labels}
    names = [node.get("pickerName") for node in _of(nodes, "ProtImportPicks")]
    assert names == ["truth", "alpha", "particles"]


def test_what_is_said_of_one_folder_wins_and_the_truth_is_left_alone(folders):
    nodes = _build(
        "picks=alpha:scale=2,particles",
        "truth=truth",
        "filesPattern=*.box",
        "fileFormat=EMAN .box",
        "boxSize=90",
        "matchRadius=0.3",
    )
    truth, alpha, particles = _of(nodes, "ProtImportPicks")
    assert (alpha["scale"], particles["scale"]) == (2.0, 1.0)
    assert (alpha["filesPattern"], alpha["fileFormat"]) == ("*.box", 1)
    assert truth["boxSize"] == 90
    assert not truth.keys() & {"scale", "invertY", "filesPattern", "fileFormat"}
    assert _of(nodes, "ProtEvaluatePicks")[0]["matchRadius"] == 0.3


def test_the_threshold_is_automatic_unless_one_is_given(folders):
    def mode_and_threshold(*words: str) -> tuple[int, float]:
        selected = _of(_build(*words), "ProtDeepConsensusSelect")[0]
        return selected["thresholdMode"], selected["threshold"]

    assert mode_and_threshold() == (2, 0.5)
    assert mode_and_threshold("threshold=0.7") == (0, 0.7)
    with pytest.raises(ValueError, match="threshold: it has no effect with threshold"):
        mode_and_threshold("thresholdMode=automatic", "threshold=0.7")
    assert mode_and_threshold("thresholdMode=3", "minPrecision=0.8")[0] == 3


@pytest.mark.parametrize("word", ["threshold=0.75", "thresholdMode=first N"])
def test_the_truth_is_compared_with_what_is_accepted(folders, word):
    nodes = _build("truth=truth", word)
    [selected] = _of(nodes, "ProtDeepConsensusSelect")
    [compared] = _of(nodes, "ProtEvaluatePicks")
    assert compared["inputAccepted"] == f"{selected['object.id']}.outputCoordinates"
    assert compared["threshold"] is None  # scores alone do not tell


def test_without_stacks_coordinates_are_selected(folders):
    [selected] = _of(_build("stacks=no"), "ProtDeepConsensusSelect")
    assert selected["writeStacks"] is False
    assert selected["inputCoordinates"] == "8.outputCoordinates"


def test_stacks_are_those_of_what_is_kept(folders):
    nodes = _build()
    [selected] = _of(nodes, "ProtDeepConsensusSelect")
    assert selected["inputCoordinates"] == "8.outputCoordinates"
    for each in (selected, *_of(nodes, "ProtDeepConsensusScore")):
        assert "writeStacks" not in each  # the defaults of both forms


def _demo(*words: str) -> list[dict]:
    settings = parse_settings("deep_consensus_demo", words)
    return build_nodes(with_absolute_paths(settings))


def test_structures_are_shapes_or_files(tmp_path, monkeypatch):
    (tmp_path / "a.pdb").touch()
    monkeypatch.chdir(tmp_path)
    node = _of(_demo("structures=two lobes, a.pdb"), "ProtSimulateMicrographs")[0]
    assert node["structures"] == f"two lobes,{tmp_path / 'a.pdb'}"
    node = _of(_demo("secondProtein="), "ProtSimulateMicrographs")[0]
    assert node["secondProtein"] == ""


def test_the_demonstration_needs_no_settings_and_takes_any():
    assert "~" not in json.dumps(_demo())
    nodes = _demo("seed=3", "threshold=0.7", "numberOfMicrographs=2", "nEpochs=1")
    simulated = _of(nodes, "ProtSimulateMicrographs")[0]
    assert (simulated["seed"], simulated["numberOfMicrographs"]) == (3, 2)
    trained = _of(nodes, "ProtDeepConsensusTrain")[0]
    assert (trained["seed"], trained["nEpochs"]) == (3, 1)
    pickers = _of(nodes, "ProtClassicalPick")
    assert [picker["method"] for picker in pickers] == [0, 1]
    assert not any("threshold" in picker for picker in pickers)
    assert _of(nodes, "ProtDeepConsensusSelect")[0]["threshold"] == 0.7
    [compared] = _of(nodes, "ProtEvaluatePicks")
    assert compared["inputAccepted"] == "8.outputCoordinates"
    assert compared["threshold"] is None


def test_the_demonstration_has_pickers_and_a_truth_of_its_own(folders):
    for word in ("picks=alpha,particles", "truth=truth"):
        with pytest.raises(ValueError, match="expected a template with a ProtImport"):
            _demo(word)


def test_picks_are_compared_with_the_truth_where_nothing_is_scored(folders):
    nodes = build_nodes(
        parse_settings(
            "pick_without_training",
            [
                *(f"micrographs={folders}/*.mrc", f"truth={folders}/truth"),
                *("boxSize=60", "threshold=-1.5", "samplingRate=2"),
                "particleDiameter=100",
            ],
        )
    )
    micrographs, truth, model, picked, compared = nodes
    assert truth["inputMicrographs"] == f"{micrographs['object.id']}.outputMicrographs"
    assert picked["inputModel"] == f"{model['object.id']}.outputModel"
    assert compared["inputCoordinates"] == f"{picked['object.id']}.outputCoordinates"
    assert truth["boxSize"] == picked["boxSize"] == 60
    given = THRESHOLD.number_of("mode", PickThresholdMode.GIVEN)
    assert (picked["thresholdMode"], picked["threshold"]) == (given, -1.5)
    assert compared["threshold"] is compared["inputAccepted"] is None  # all accepted


def test_templates_of_other_plugins_say_what_is_missing():
    with pytest.raises(ValueError, match="Xmipp") as caught:
        read_template("deep_consensus_xmipp_eman2")
    message = str(caught.value)
    assert "XmippParticlePickingAutomatic, EmanProtAutopick." in message
    assert "installp -p scipion-em-eman2 -p scipion-em-xmipp" in message


def test_what_waits_for_its_user_is_not_run_headless(monkeypatch):
    known = {"XmippProtParticlePicking": object}
    monkeypatch.setattr(forms.Domain, "getProtocols", lambda: known)
    with pytest.raises(ValueError, match="somebody who picks in its window"):
        forms.require_runnable("one", ["XmippProtParticlePicking"])


def test_pickers_without_training_can_be_compared_with_a_truth(folders):
    words = ["micrographs=*.mrc", "particleDiameter=120", "truth=truth"]
    words += ["samplingRate=2"]
    settings = parse_settings("deep_consensus_classical", words)
    nodes = build_nodes(with_absolute_paths(settings))
    pickers = _of(nodes, "ProtClassicalPick")
    assert [picker["particleDiameter"] for picker in pickers] == [120, 120]
    (truth,) = _of(nodes, "ProtImportPicks")
    assert truth["inputMicrographs"] == "1.outputMicrographs"


def test_a_model_of_another_session_is_taken_by_its_name(folders):
    words = ["micrographs=*.mrc", "picks=alpha,particles", "modelPath=."]
    words.insert(0, "samplingRate=2")
    settings = parse_settings("deep_consensus_reuse", [*words, "modelName=krios"])
    nodes = build_nodes(with_absolute_paths(settings))
    (imported,) = _of(nodes, "ProtImportModel")
    assert (imported["modelPath"], imported["modelName"]) == (str(folders), "krios")
    (consensus,) = _of(nodes, "ProtDeepConsensusPicks")
    assert len(consensus["inputCoordinates"]) == 2
    assert not _of(nodes, "ProtDeepConsensusTrain")
    settings = parse_settings("deep_consensus_reuse", words[:3])
    with pytest.raises(ValueError, match="modelPath: not given"):
        build_nodes(with_absolute_paths(settings))
