# SPDX-License-Identifier: GPL-3.0-or-later
"""Setting ``ctf=FILE`` of ``run``; nothing is run."""

from __future__ import annotations

import pytest

from deepconsensus_plugin.commands.rehearsal import check_run
from deepconsensus_plugin.commands.settings import parse_settings
from deepconsensus_plugin.commands.workflow import build_nodes, with_absolute_paths
from deepconsensus_plugin.tests.run_scene import make_scene
from deepconsensus_plugin.tests.synthetic import SAMPLING_RATE

STAR = """
data_optics
_rlnOpticsGroup 1
_rlnVoltage 200
_rlnSphericalAberration 1.4
_rlnAmplitudeContrast 0.07

data_micrographs
loop_
_rlnMicrographName
_rlnOpticsGroup
_rlnDefocusU
_rlnDefocusV
_rlnDefocusAngle
"""


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    root = make_scene(tmp_path_factory.mktemp("scene"))
    rows = "".join(f"M/job2/mic_{i}.mrc 1 10000 9000 30\n" for i in (1, 2))
    (root / "ctf.star").write_text(STAR + rows)
    (root / "none.star").write_text("data_\n_rlnVoltage 300\n")
    return root


def build(scene, *words, template="deep_consensus"):
    words = (
        f"micrographs={scene}/mics/*.mrc",
        f"samplingRate={SAMPLING_RATE}",
        *words,
    )
    if template == "deep_consensus":
        words = (*words, f"picks={scene}/alpha,{scene}/particles")
    return build_nodes(with_absolute_paths(parse_settings(template, words)))


def test_ctfs_reach_training_and_scores_with_the_files_microscope(scene):
    nodes = build(scene, f"ctf={scene}/ctf.star")
    by_class = {node["object.className"]: node for node in nodes}
    classes = [node["object.className"] for node in nodes]
    assert classes[:2] == ["ProtImportMicrographs", "ProtImportCtfs"]
    for name in ("ProtDeepConsensusTrain", "ProtDeepConsensusScore"):
        assert by_class[name]["ctfRelations"] == "9003.outputCTF"
    imported = by_class["ProtImportMicrographs"]
    assert (imported["voltage"], imported["sphericalAberration"]) == (200, 1.4)
    assert imported["amplitudeContrast"] == 0.07
    said = check_run(nodes)
    assert "WARNING: CTFs of 2 of 3 micrographs; the others are not used." in said


def test_without_ctfs_nothing_changes(scene):
    nodes = build(scene)
    assert not [node for node in nodes if "ctfRelations" in node]
    assert "ctf" not in parse_settings("deep_consensus", []).to_plain()


def test_ctfs_that_cannot_be_used_are_refused(scene):
    with pytest.raises(ValueError, match=r"none\.star: expected a block with"):
        build(scene, f"ctf={scene}/none.star")
    with pytest.raises(ValueError, match="ctf: no such file"):
        build(scene, f"ctf={scene}/gone.star")
    with pytest.raises(ValueError, match="ctf: it has no effect"):
        build(
            scene,
            f"ctf={scene}/ctf.star",
            "particleDiameter=120",
            template="pick_without_training",
        )
