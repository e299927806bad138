# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of ``run`` that are sets to train and test on, and given particles."""

from __future__ import annotations

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.commands.rehearsal import check_run
from deepconsensus_plugin.commands.settings import parse_settings
from deepconsensus_plugin.commands.workflow import build_nodes, with_absolute_paths
from deepconsensus_plugin.core.particle_files.shipped_junk import shipped_junk
from deepconsensus_plugin.report.run_parameters import command_again
from deepconsensus_plugin.tests.run_scene import make_scene
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE

STAR = "data_\nloop_\n_rlnImageName\n1@junk.mrcs\n2@junk.mrcs\n"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    root = make_scene(tmp_path_factory.mktemp("scene"))
    with mrcfile.new(root / "junk.mrcs", np.zeros((2, BOX, BOX), np.float32)) as file:
        file.set_image_stack()
        file.voxel_size = SAMPLING_RATE
    (root / "junk.star").write_text(STAR)
    return root


def settings_of(template, *words):
    return with_absolute_paths(parse_settings(template, words))


def build(scene, *words, template="deep_consensus"):
    given = (
        f"micrographs={scene}/mics/*.mrc",
        f"picks={scene}/alpha,{scene}/particles",
    )
    given += (f"samplingRate={SAMPLING_RATE}",)
    return build_nodes(settings_of(template, *given, *words))


def test_sets_are_imported_before_the_training_that_takes_them(scene):
    nodes = build(
        scene,
        f"extraNegatives={scene}/junk.star,{scene}/alpha",
        f"testPositives={scene}/particles",
        f"testNegatives={scene}/junk.mrcs",
    )
    by_id = {node["object.id"]: node for node in nodes}
    (train,) = (n for n in nodes if n["object.className"] == "ProtDeepConsensusTrain")
    assert train["extraNegatives"] == ["9100.outputParticles", "9101.outputCoordinates"]
    assert train["testPositives"] == "9102.outputCoordinates"
    assert train["testNegatives"] == "9103.outputParticles"
    assert "extraPositives" not in train
    assert by_id["9101"]["inputMicrographs"] == "1.outputMicrographs"
    assert by_id["9100"]["object.label"] == "extraNegatives of junk.star"
    order = [node["object.id"] for node in nodes]
    assert order.index("9103") < order.index(train["object.id"])
    assert any("junk.star: 2 particles" in line for line in check_run(nodes))


def test_a_set_that_cannot_be_used_is_refused(scene):
    with pytest.raises(ValueError, match="extraPositives: it has no effect on this"):
        build_nodes(
            settings_of(
                "pick_without_training",
                f"micrographs={scene}/mics/*.mrc",
                f"samplingRate={SAMPLING_RATE}",
                f"extraPositives={scene}/alpha",
                "particleDiameter=70",
            )
        )
    with pytest.raises(ValueError, match="testPositives: expected one path"):
        parse_settings("topaz", [f"testPositives={scene}/alpha,{scene}/alpha"])
    with pytest.raises(ValueError, match="extraNegatives: no such file"):
        parse_settings("topaz", [f"extraNegatives={scene}/none.star"])


def test_the_command_that_repeats_a_run_has_its_sets(scene):
    settings = settings_of("deep_consensus", f"extraNegatives={scene}/junk.star")
    assert f"extraNegatives={scene}/junk.star" in command_again(settings.to_plain())
    without = settings_of("deep_consensus").to_plain()
    assert "sets" not in without  # as runs without them were always kept


def test_particles_are_pruned_without_micrographs(scene):
    words = (f"STAR={scene}/junk.star", f"negatives={scene}/junk.mrcs")
    nodes = build_nodes(settings_of("screen_particles", *words))
    assert [node["object.className"] for node in nodes] == [
        *["ProtImportParticleStacks"] * 2,
        *("ProtDeepConsensusTrain", "ProtDeepConsensusScore"),
        "ProtDeepConsensusSelect",
    ]
    assert check_run(nodes) == ["junk.star: 2 particles.", "junk.mrcs: 2 particles."]
    with pytest.raises(ValueError, match=r"extraPositives: .* holds no images"):
        build_nodes(
            settings_of("screen_particles", *words, f"extraPositives={scene}/alpha")
        )
    with pytest.raises(ValueError, match=r"negatives: not given\. It is needed"):
        build_nodes(settings_of("screen_particles", words[0]))


def test_particles_that_cannot_be_read_are_told_before_the_run(scene):
    (scene / "beyond.star").write_text(STAR + "3@junk.mrcs\n")
    words = (f"STAR={scene}/beyond.star", f"negatives={scene}/junk.mrcs")
    with pytest.raises(ValueError, match="an image of the 2 in the stack on line 6"):
        check_run(build_nodes(settings_of("screen_particles", *words)))


def test_junk_is_a_word_for_what_comes_with_the_package(scene):
    nodes = build(scene, "extraNegatives=junk")
    (node,) = (n for n in nodes if n["object.className"] == "ProtImportParticleStacks")
    assert node["filesPath"] == str(shipped_junk())
    words = (f"STAR={shipped_junk()}", "negatives=junk")
    nodes = build_nodes(settings_of("screen_particles", *words))
    assert nodes[1]["filesPath"] == str(shipped_junk())
    assert check_run(nodes) == ["junk.star: 100 particles."] * 2
