# SPDX-License-Identifier: GPL-3.0-or-later
"""Export into RELION's projects: names, lists of RELION 4 and 5, folders of 3."""

from pathlib import Path

import pytest

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.core.io.text import read_text
from deepconsensus_plugin.core.pick_files.folders import read_picks_folder
from deepconsensus_plugin.core.pick_files.name_tokens import path_in_job
from deepconsensus_plugin.core.pick_files.picks import read_picks
from deepconsensus_plugin.core.pick_files.placing import ReadOptions
from deepconsensus_plugin.core.pick_files.star_blocks import read_blocks
from deepconsensus_plugin.core.serialisation import write_json
from deepconsensus_plugin.core.types import Micrograph

ROWS = (
    ("g_7.mrc", 60, 50, 0.875, 1),
    ("g_7.mrc", 20.5, 10, 0.75, 1),
    ("my g#8.mrc", 40, 30, 0.25, 0),
)
SCORES = (
    "micrograph,x,y,score,network_score,spread,votes,observed,pickers,picker_scores,"
    "accepted,reason\n"
)
for name, x, y, score, accepted in ROWS:
    reason = "" if accepted else "score"
    SCORES += f"{name},{x},{y},{score},,,1,x,x,,{accepted},{reason}\n"
JOB = "MotionCorr/job002/Movies"
NAMES = (f"{JOB}/g_7.mrc", f"{JOB}/my g#8.mrc")
STAR = f"""
data_optics

loop_
_rlnOpticsGroupName #1
_rlnOpticsGroup #2
_rlnMicrographPixelSize #3
_rlnVoltage #4
opticsGroup1 1 1.5 300.0

data_micrographs

loop_
_rlnMicrographName #1
_rlnOpticsGroup #2
_rlnDefocusU #3
_rlnDefocusV #4
_rlnDefocusAngle #5
_rlnCtfImage #6
{NAMES[0]} 1 10000 9000 45 CtfFind/g_7.ctf:mrc
'{NAMES[1]}' 1 11000 9500 40 CtfFind/g_8.ctf:mrc
MotionCorr/job002/Movies/never_picked.mrc 1 12000 9500 40 x.ctf:mrc
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Folder of a RELION project, with a finished run in P."""
    root = tmp_path.resolve()
    (root / "P").mkdir()
    (root / "P" / "scores.csv").write_text(SCORES)
    names = ["g_7.mrc", "my g#8.mrc"]
    summary = {
        "box_size": 8,
        "observed": {name: ["x"] for name in names},
        "micrograph_paths": {name: str(root / JOB / name) for name in names},
        "sampling_rate": 1.5,
    }
    write_json(root / "P" / "summary.json", summary)
    (root / "micrographs_ctf.star").write_text(STAR)
    monkeypatch.chdir(root)
    return root


def export(*options):
    return main(["export", "P", "--format", "star", "--out", "AutoPick/c", *options])


def listed_by_relion(root, star):
    """Return how many coordinates RELION 5 finds, by its rules.

    Names are compared as they stand in both files (src/preprocessing.cpp:
    micname2coordname[fn_mic]), paths are from the folder of the project.
    """
    (listed,) = (each for each in read_blocks(root / star) if len(each))
    assert listed.name == "coordinate_files"
    columns = ("rlnMicrographName", "rlnMicrographCoordinates")
    files = dict(zip(*(listed.columns[each] for each in columns), strict=True))
    table = read_blocks(root / "micrographs_ctf.star")[1]
    found = {}
    for name in table.columns["rlnMicrographName"]:
        if name in files and (root / files[name]).is_file():
            found[name] = len(read_picks(root / files[name])[None])
    return found


@pytest.mark.parametrize("micrographs", [["--micrographs", "micrographs_ctf.star"], []])
def test_lists_and_files_are_found_by_relion_of_all_versions(root, micrographs):
    assert export("--per-micrograph", *micrographs) == 0
    found = listed_by_relion(root, "AutoPick/c/autopick.star")
    assert found == {NAMES[0]: 2, NAMES[1]: 0}
    assert "AutoPick/c/Movies/g_7_autopick.star" in read_text(
        root / "AutoPick/c/autopick.star"
    )
    # RELION 3: coord_dir + name without the job + suffix
    for name in NAMES:
        post = name.removeprefix("MotionCorr/job002/").removesuffix(".mrc")
        assert (root / "AutoPick/c" / f"{post}_autopick.star").is_file()


def test_one_file_carries_optics_groups_and_ctf(root):
    assert export("--micrographs", "micrographs_ctf.star") == 0
    path = root / "AutoPick/c/coordinates.star"
    optics, particles = read_blocks(path)
    assert optics.columns["rlnMicrographPixelSize"] == ("1.5",)
    assert particles.name == "particles"
    assert list(particles.columns["rlnMicrographName"]) == [NAMES[0]] * 2
    assert list(particles.columns["rlnDefocusU"]) == ["10000"] * 2
    assert list(particles.columns["rlnOpticsGroup"]) == ["1"] * 2
    assert "rlnCtfImage" not in particles
    assert read_picks(path)[NAMES[0]].yx.tolist() == [[50, 60], [10, 20.5]]


def test_what_was_exported_comes_back(root):
    export("--per-micrograph", "--all")
    micrographs = [
        Micrograph(name, Path("/none") / name, (100, 200), 1.5)
        for name in ("g_7.mrc", "myg#8.mrc")  # as Scipion imports it
    ]
    picks = read_picks_folder(
        root / "AutoPick/c", micrographs, picker="p", options=ReadOptions(box_size=8)
    )
    assert {name: len(each) for name, each in picks.coordinates.items()} == {
        "g_7.mrc": 2,
        "myg#8.mrc": 1,
    }


def test_micrographs_that_are_not_those_are_refused(root, capsys):
    star = root / "micrographs_ctf.star"
    star.write_text(STAR.replace("g_7.mrc", "h_9.mrc"))
    assert export("--micrographs", star.name) == 1
    assert "none for 1 of 1: g_7.mrc" in capsys.readouterr().err
    star.write_text(STAR.replace("1 1.5 300.0", "1 3.0 300.0"))
    assert export("--micrographs", star.name) == 1
    assert "1.5 Å/px, as the coordinates, received 3 Å/px" in capsys.readouterr().err
    star.write_text("data_optics\n_rlnOpticsGroup 1\n")
    assert export("--micrographs", star.name) == 1
    assert "a micrographs STAR with the column" in capsys.readouterr().err
    options = ["--format", "csv", "--out", "c", "--micrographs", star.name]
    assert main(["export", "P", *options]) == 1
    assert "expected star, not csv" in capsys.readouterr().err


def test_micrographs_elsewhere_go_by_their_whole_path(root, monkeypatch):
    (root / "other").mkdir()
    monkeypatch.chdir(root / "other")
    options = ["--format", "star", "--out", "c"]
    assert main(["export", str(root / "P"), *options]) == 0
    assert list(read_picks(root / "other/c/coordinates.star")) == [f"{root}/{NAMES[0]}"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("MotionCorr/job002/Movies/x.mrc", "Movies/x"),
        ("Import/job001/x.y.tif", "x.y"),
        ("Micrographs/x.mrc", "Micrographs/x"),
        ("x.mrc", "x"),
        ("/data/a.b/x", "data/a.b/x"),
    ],
)
def test_place_of_a_micrographs_file_in_a_job(name, path):
    assert path_in_job(name) == path
