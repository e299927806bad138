# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsing of the command line's name=value words."""

from __future__ import annotations

import pytest

from deepconsensus_plugin.commands.settings import (
    PicksFolder,
    check_names,
    parse_settings,
)


@pytest.fixture
def folders(tmp_path):
    for name in ("cryolo", "topaz", "truth", "a;b"):
        (tmp_path / name).mkdir()
    return tmp_path


def test_words_become_settings(folders):
    settings = parse_settings(
        "deep_consensus",
        [
            f"micrographs={folders}/*.mrc",
            "samplingRate=3.54",
            f"picks={folders}/cryolo:scale=0.5:invertY=yes,{folders}/topaz:minScore=-2",
            f"truth={folders}/truth",
            "stacks=no",
        ],
    )
    assert settings.picks == (
        PicksFolder(f"{folders}/cryolo", scale=0.5, invert_y=True),
        PicksFolder(f"{folders}/topaz", min_score=-2),
    )
    assert [folder.picker for folder in settings.picks] == ["cryolo", "topaz"]
    assert settings.truth == f"{folders}/truth"
    assert not settings.stacks
    assert settings.values == {
        "micrographs": f"{folders}/*.mrc",
        "samplingRate": "3.54",
    }


def test_relative_paths_become_absolute(folders, monkeypatch):
    monkeypatch.chdir(folders)
    settings = parse_settings("t", ["picks=topaz,./cryolo", "truth=truth"])
    assert settings.truth == f"{folders}/truth"
    assert [folder.path for folder in settings.picks] == [
        f"{folders}/topaz",
        f"{folders}/cryolo",
    ]


def test_a_file_of_all_micrographs_names_its_picker(folders):
    (folders / "gautomatch.star").touch()
    settings = parse_settings("t", [f"picks={folders}/gautomatch.star"])
    assert [folder.picker for folder in settings.picks] == ["gautomatch"]


def test_a_preset_is_kept_beside_what_is_written_out():
    settings = parse_settings("t", ["preset=fast", "nEpochs=7"])
    assert (settings.preset, settings.values) == ("fast", {"nEpochs": "7"})
    assert settings.to_plain()["preset"] == "fast"
    assert "preset" not in parse_settings("t", ["nEpochs=7"]).to_plain()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["seed"], "expected name=value, received 'seed'"),
        (["=1"], "expected name=value"),
        (["seed=1", "seed=2"], "seed: given twice"),
        (["preset=quick"], "preset: expected one of paper, fast, received quick"),
        (["stacks=maybe"], "stacks: expected yes or no, received 'maybe'"),
        (["picks=/nowhere/cryolo"], "picks: no such file or folder: /nowhere/cryolo"),
        (["truth=/nowhere"], "truth: no such file or folder"),
        (["picks={0}/topaz:scale=0"], "scale: expected a number > 0, received '0'"),
        (["picks={0}/topaz:scale=x"], "scale: expected a number > 0, received 'x'"),
        (["picks={0}/topaz:minScore=x"], "minScore: expected a number, received 'x'"),
        (
            ["picks={0}/topaz:flip=yes"],
            "expected name=…, scale=…, invertY",
        ),
        (["picks={0}/topaz,{0}/../{1}/topaz"], "two folders are named '{1}'"),
        (["picks={0}/a;b"], "a picker's name must not hold ';'"),
    ],
)
def test_what_cannot_be_is_refused(folders, words, complaint):
    words = [word.format(folders, folders.name) for word in words]
    with pytest.raises(ValueError, match=complaint.replace("{1}", folders.name)):
        parse_settings("deep_consensus", words)


def test_pickers_of_one_name_are_named_after_what_they_lie_in(folders):
    for job in ("J5", "J6"):
        (folders / job).mkdir()
        (folders / job / "picked_particles.cs").touch()
    files = [f"{folders}/{job}/picked_particles.cs" for job in ("J5", "J6")]
    settings = parse_settings("t", [f"picks={files[0]},{files[1]},{folders}/topaz"])
    assert [each.picker for each in settings.picks] == ["J5", "J6", "topaz"]
    settings = parse_settings("t", [f"picks={files[0]}:name=blob,{files[1]}"])
    assert [each.picker for each in settings.picks] == ["blob", "picked_particles"]


def test_unknown_names_are_refused_with_what_was_meant():
    check_names(["nEpochs", "picks"], ["nEpochs", "seed"])
    with pytest.raises(ValueError, match=r"not a setting.*Did you mean nEpochs"):
        check_names(["nEpoch"], ["nEpochs", "seed"])
