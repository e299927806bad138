# SPDX-License-Identifier: GPL-3.0-or-later
"""Rehearsal of a run: faults that are known before it starts; nothing is run."""

from __future__ import annotations

import shutil

import mrcfile
import pytest

from deepconsensus_plugin.commands.pixel_size import with_pixel_size
from deepconsensus_plugin.commands.rehearsal import check_run
from deepconsensus_plugin.commands.settings import parse_settings
from deepconsensus_plugin.commands.workflow import build_nodes, with_absolute_paths
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.tests.run_scene import make_scene
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    return make_scene(tmp_path_factory.mktemp("scene"))


def _settings(scene, template, words):
    given = {"micrographs": f"{scene}/mics/*.mrc"}
    if template in ("deep_consensus", "deep_consensus_reuse"):
        given["picks"] = f"{scene}/alpha,{scene}/particles"
    given |= dict(word.format(scene).split("=", 1) for word in words)
    words = [f"{name}={value}" for name, value in given.items()]
    return with_absolute_paths(parse_settings(template, words))


def _rehearse(scene, template, *words):
    settings, remarks = with_pixel_size(_settings(scene, template, words))
    return [*remarks, *check_run(build_nodes(settings))]


def _of_header(scene, rate, name="mics/mic_1.mrc"):
    with mrcfile.open(scene / name, "r+") as file:
        file.voxel_size = rate


def test_a_good_run_says_what_was_found_in_headers_and_files(scene):
    assert _rehearse(scene, "deep_consensus", "truth={}/truth") == [
        f"Pixel size: {SAMPLING_RATE:g} Å/px, from the header of 3 micrographs.",
        f"truth: 60 picks on 3 of 3 micrographs; box {BOX} px, as the files record it.",
        f"alpha: 61 picks on 3 of 3 micrographs; box {BOX} px, as the files record it.",
        "particles: 46 picks on 2 of 3 micrographs; box "
        f"{BOX} px, as the files record it.",
    ]
    (first, *_) = _rehearse(
        scene, "deep_consensus", f"samplingRate={SAMPLING_RATE}", f"boxSize={BOX}"
    )
    assert first == f"alpha: 61 picks on 3 of 3 micrographs; box {BOX} px."


@pytest.mark.parametrize(
    ("template", "words", "complaints"),
    [
        ("deep_consensus", ["picks={}/alpha"], ["picks: at least two pickers"]),
        (
            "deep_consensus",
            ["boxSize=900"],
            [
                "picks of alpha: Box size: 900 px is larger than the micrographs",
                "picks of particles: Box size: 900",
            ],
        ),
        (
            "deep_consensus",
            ["nModels=0", "consensusRadius=-1", "borderDistance=-5", "seed=-1"],
            [
                "consensus: Consensus radius: it must be above 0, received -1",
                "network: Number of networks: it must be 1 or more, received 0",
                "scores: Random seed: it must be 0 or more",
                "particles: ",
            ],
        ),
        ("deep_consensus", ["minPickers=3"], ["consensus: "]),
        ("deep_consensus", ["truth={}/mics"], ["truth: "]),
        ("deep_consensus", ["samplingRate=0"], ["samplingRate: expected a number > 0"]),
        ("deep_consensus", ["samplingRate=-2.5"], ["samplingRate: expected a number"]),
        (
            "deep_consensus_classical",
            ["particleDiameter=4000"],
            ["Particle diameter: 1600 px is larger than the micrographs"],
        ),
        ("deep_consensus_classical", ["particleDiameter=5"], ["must be 4 px or more"]),
        (
            "pick_without_training",
            ["particleDiameter=-5"],
            ["picks: Particle diameter: it must be above 0"],
        ),
        ("deep_consensus_reuse", ["modelPath={}"], ["earlier network: "]),
    ],
)
def test_what_would_fail_later_is_named_first(scene, template, words, complaints):
    with pytest.raises(ValueError, match=complaints[0]) as caught:
        _rehearse(scene, template, *words)
    assert all(complaint in str(caught.value) for complaint in complaints)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("topaz", ["labels={}/truth"]),
        ("deepem", ["labels={}/truth"]),
        ("deep_consensus", ["preset=paper"]),
        ("deep_consensus_topaz", ["picks={}/alpha,{}/particles"]),
        (
            "deep_consensus_general",
            ["picks={}/alpha,{}/particles", "particleDiameter=70"],
        ),
        ("auto", []),
        ("auto", ["particleDiameter=70"]),
        ("deep_consensus_classical", []),
        ("deep_consensus_classical", ["particleDiameter=70"]),
        ("pick_without_training", []),
        ("pick_without_training", ["particleDiameter=70"]),
    ],
)
def test_every_template_can_start(scene, template, words):
    words = [word.replace("{}", str(scene)) for word in words]
    assert _rehearse(scene, template, *words)[0].startswith("Pixel size: ")


def test_one_picker_is_enough_for_a_model_that_is_given(scene):
    words = ("picks={}/alpha", f"modelPath={general_model()}")
    assert _rehearse(scene, "deep_consensus_reuse", *words)


def test_without_a_pixel_size_the_file_is_named(scene):
    _of_header(scene, 0)
    try:
        with pytest.raises(ValueError, match=r"mic_1\.mrc: the header has no pixel"):
            _rehearse(scene, "deep_consensus")
        assert _rehearse(scene, "deep_consensus", "samplingRate=2.5")
    finally:
        _of_header(scene, SAMPLING_RATE)


def test_headers_that_disagree_with_what_was_given_are_said(scene):
    _of_header(scene, 1.0)
    try:
        (said, *_) = _rehearse(scene, "deep_consensus", f"samplingRate={SAMPLING_RATE}")
        assert "1 of 3 headers say another: 1 Å/px in" in said
        with pytest.raises(ValueError, match="the headers disagree on the pixel size"):
            _rehearse(scene, "deep_consensus")
    finally:
        _of_header(scene, SAMPLING_RATE)


def test_a_cut_micrograph_is_named(scene, tmp_path):
    (tmp_path / "cut.mrc").write_bytes((scene / "mics/mic_0.mrc").read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"cut\.mrc: expected .*truncated"):
        _rehearse(scene, "deep_consensus", f"micrographs={tmp_path}/*.mrc")


def test_what_pixels_and_picks_show_is_said(scene, tmp_path):
    shutil.copytree(scene / "mics", tmp_path / "mics")
    with mrcfile.open(tmp_path / "mics/mic_1.mrc", "r+") as file:
        file.data[:] = 0
    binned = tmp_path / "binned"
    binned.mkdir()
    for path in (scene / "alpha").iterdir():
        rows = [line.split() for line in path.read_text().splitlines()]
        halves = ["\t".join(str(float(n) / 2) for n in row) for row in rows]
        (binned / path.name).write_text("\n".join(halves) + "\n")
    said = _rehearse(
        scene,
        "deep_consensus",
        f"micrographs={tmp_path}/mics/*.mrc",
        f"picks={{}}/alpha,{binned}",
    )
    warnings = [line for line in said if line.startswith("WARNING")]
    assert [line.split(":")[1].split(" reach")[0] for line in warnings] == [
        " mic_1.mrc",
        " Picks of binned",
    ]
    assert "scale=2." in warnings[1]
