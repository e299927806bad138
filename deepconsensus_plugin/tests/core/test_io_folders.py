# SPDX-License-Identifier: GPL-3.0-or-later
import logging
from pathlib import Path

import numpy as np
import pytest

from deepconsensus_plugin.core.errors import FileFormatError, NameMatchError
from deepconsensus_plugin.core.pick_files.folders import read_picks_folder
from deepconsensus_plugin.core.pick_files.picks import PickFormat, write_merged_picks
from deepconsensus_plugin.core.pick_files.placing import ReadOptions
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

MICROGRAPHS = [
    Micrograph(f"mic_{i}.mrc", Path(f"mic_{i}.mrc"), (100, 200), 1.0) for i in range(4)
]


def fill(folder, **files):
    for name, text in files.items():
        stem, _, extension = name.rpartition("_")
        (folder / f"{stem}.{extension}").write_text(text)


def read(folder, **options):
    return read_picks_folder(
        folder, MICROGRAPHS, picker="p", options=ReadOptions(**options)
    )


def test_not_run_is_not_found_nothing(tmp_path):
    fill(tmp_path, mic_2_box="1 2 8 8 0.5\n", mic_0_box="", mic_10_box="1 2 8 8\n")
    picks = read(tmp_path)
    assert (picks.picker, picks.box_size, len(picks)) == ("p", 8, 1)
    assert list(picks.coordinates) == ["mic_0.mrc", "mic_2.mrc"]
    np.testing.assert_array_equal(picks.coordinates["mic_2.mrc"].yx, [[6, 5]])
    np.testing.assert_array_equal(picks.coordinates["mic_2.mrc"].scores, [0.5])
    assert len(picks.coordinates["mic_0.mrc"]) == 0


def test_scale_comes_before_the_inversion_of_y(tmp_path):
    fill(tmp_path, mic_0_box="10 20 8 8 0.5\n")
    picks = read(tmp_path, scale=2, invert_y=True)
    np.testing.assert_array_equal(
        picks.coordinates["mic_0.mrc"].yx, [[100 - 1 - 48, 28]]
    )
    assert picks.box_size == 16


def test_a_given_box_size_is_in_pixels_of_the_micrographs(tmp_path):
    fill(tmp_path, mic_0_box="10 20\n")
    picks = read(tmp_path, scale=2, box_size=16)
    np.testing.assert_array_equal(picks.coordinates["mic_0.mrc"].yx, [[40, 20]])
    assert picks.box_size == 16


def test_a_box_size_that_nobody_knows(tmp_path):
    fill(tmp_path, mic_0_csv="1,2\n")
    with pytest.raises(ValueError, match="expected a box size"):
        read(tmp_path)
    with pytest.raises(ValueError, match=r"scale\): it must be above 0"):
        read(tmp_path, scale=0)


@pytest.mark.parametrize("as_file", [False, True])
def test_merged_file(tmp_path, as_file):
    fill(tmp_path, all_csv="micrograph,x,y\nX/mic_1.mrc,1,2\nmic_3,3,4\nother,5,6\n")
    picks = read(tmp_path / "all.csv" if as_file else tmp_path, box_size=9)
    assert list(picks.coordinates) == ["mic_1.mrc", "mic_3.mrc"]
    np.testing.assert_array_equal(picks.coordinates["mic_3.mrc"].yx, [[4, 3]])


def test_pattern_and_format(tmp_path):
    fill(tmp_path, mic_0_dat="1,2\n", mic_1_csv="3,4\n")
    picks = read(tmp_path, pattern="*.dat", pick_format=PickFormat.CSV, box_size=9)
    assert list(picks.coordinates) == ["mic_0.mrc"]
    (tmp_path / "deep").mkdir()
    fill(tmp_path / "deep", mic_2_csv="3,4\n")
    picks = read(tmp_path, pattern="**/mic_2*", box_size=9)
    assert list(picks.coordinates) == ["mic_2.mrc"]


def test_other_files_in_the_folder_are_left_out_and_named(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    fill(tmp_path, mic_0_box="1 2 8 8\n", run_log="ok\n", summary_csv="a,b\n1,2\n")
    (tmp_path / ".hidden.box").write_text("not a box")
    assert list(read(tmp_path).coordinates) == ["mic_0.mrc"]
    assert "run.log" in caplog.text
    assert "summary.csv" in caplog.text
    assert "hidden" not in caplog.text


def test_picks_below_a_minimum_score_are_left_out(tmp_path):
    fill(tmp_path, mic_0_csv="x,y,score\n1,2,0.1\n3,4,0.3\n5,6,\n")
    picks = read(tmp_path, box_size=9, min_score=0.3).coordinates["mic_0.mrc"]
    np.testing.assert_array_equal(picks.yx, [[4, 3], [6, 5]])
    assert len(read(tmp_path, box_size=9).coordinates["mic_0.mrc"]) == 3


def write_cs(path, shape, *, prefix=""):
    picks = ScoredCoordinates.from_arrays([[20, 10]], [0.5])
    name = f"{prefix}mic_1_patch_aligned.mrc"
    write_merged_picks(
        path, {name: picks}, box_size=9, pick_format=PickFormat.CS, shapes={name: shape}
    )
    return path


def test_cryosparc_of_the_same_and_of_binned_micrographs(tmp_path):
    uid = "006789012345678901234_"
    path = write_cs(tmp_path / "picks.cs", (100, 200), prefix=uid)
    np.testing.assert_allclose(
        read(path, box_size=9).coordinates["mic_1.mrc"].yx, [[20, 10]], rtol=1e-6
    )
    write_cs(path, (50, 100), prefix=uid)
    with pytest.raises(
        FileFormatError, match=r"mic_1\.mrc, 100 x 200 .*50 x 100.*give scale 2$"
    ):
        read(path, box_size=9)
    picks = read(path, box_size=9, scale=2).coordinates["mic_1.mrc"]
    np.testing.assert_allclose(picks.yx, [[40, 20]], rtol=1e-6)
    write_cs(path, (200, 100), prefix=uid)
    with pytest.raises(FileFormatError, match="cut or turned"):
        read(path, box_size=9)


def test_xmipp_folder_tells_the_box_size(tmp_path):
    header = "# XMIPP_STAR_1 *\n#\n"
    pos = f"{header}data_particles\nloop_\n _xcoor\n _ycoor\n 3 4\n"
    config = f"{header}data_properties\nloop_\n _particleSize\n _pickingState\n"
    (tmp_path / "mic_0.pos").write_text(pos)
    (tmp_path / "config.xmd").write_text(f"{config} 80 Manual\n")
    assert read(tmp_path, scale=2).box_size == 160


@pytest.mark.parametrize("below", ["", "info"])
def test_eman2_project_tells_the_box_size(tmp_path, below):
    (tmp_path / "info").mkdir()
    (tmp_path / "notes.csv").write_text("1,2\n")
    (tmp_path / "info" / "mic_0_info.json").write_text('{"boxes": [[3, 4, "manual"]]}')
    (tmp_path / "info" / "mic_1_info.json").write_text('{"ctf": []}')
    (tmp_path / "info" / "project.json").write_text('{"global.boxsize": 80}')
    picks = read(tmp_path / below)
    assert (list(picks.coordinates), picks.box_size) == (["mic_0.mrc"], 80)


def test_relion_job_with_its_list_and_the_listed_files(tmp_path, monkeypatch):
    folder = tmp_path / "AutoPick" / "job005"
    folder.mkdir(parents=True)
    rows = ""
    for i in range(2):
        file = folder / f"mic_{i}.star"  # as sure a name as that in the list
        file.write_text(
            "data_\n\nloop_\n_rlnCoordinateX #1\n_rlnCoordinateY #2\n"
            "_rlnMicrographName #3\n" + f"{i} 5 MotionCorr/mic_{i}.mrc\n" * i
        )
        rows += f"MotionCorr/mic_{i}.mrc AutoPick/job005/{file.name}\n"
    (folder / "autopick.star").write_text(
        "data_coordinate_files\n\nloop_\n_rlnMicrographName #1\n"
        f"_rlnMicrographCoordinates #2\n{rows}"
    )
    monkeypatch.chdir("/")
    picks = read(folder, box_size=9).coordinates
    assert {name: len(part) for name, part in picks.items()} == {
        "mic_0.mrc": 0,
        "mic_1.mrc": 1,
    }


def test_a_bad_file_of_a_micrograph_is_an_error(tmp_path):
    fill(tmp_path, mic_0_box="1 2 8 8\n", mic_1_box="1 2 3\n")
    with pytest.raises(FileFormatError, match=r"mic_1\.box.*line 1"):
        read(tmp_path)


def test_two_formats_for_one_micrograph_are_refused(tmp_path):
    fill(tmp_path, mic_0_box="1 2 8 8\n", mic_0_csv="1,2\n")
    with pytest.raises(NameMatchError, match=r"mic_0\.box.*mic_0\.csv"):
        read(tmp_path)
    assert len(read(tmp_path, pattern="*.box")) == 1


def test_a_micrograph_in_two_merged_files_is_refused(tmp_path):
    table = "micrograph,x,y\nmic_1.mrc,1,2\n"
    fill(tmp_path, a_csv=table, b_csv=table)
    with pytest.raises(NameMatchError, match=r"mic_1\.mrc in one file.*a\.csv.*b\.csv"):
        read(tmp_path)


def test_nothing_to_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="expected a folder"):
        read(tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="an empty folder"):
        read(tmp_path)
    fill(tmp_path, mic_0_box="1 2 8 8\n")
    with pytest.raises(FileNotFoundError, match=r"'\*\.star'.*mic_0\.box"):
        read(tmp_path, pattern="*.star")


def test_no_name_in_common_shows_both(tmp_path):
    fill(tmp_path, image_7_box="1 2 8 8\n")
    with pytest.raises(NameMatchError, match=r"mic_0\.mrc.*image_7\.box"):
        read(tmp_path)
    fill(tmp_path, image_7_box="1 2 3\n")
    with pytest.raises(FileFormatError, match=r"image_7\.box"):
        read(tmp_path)


def test_picks_outside_are_counted(tmp_path, caplog):
    fill(tmp_path, mic_0_box="1 2 8 8\n190 90 40 40\n")
    assert len(read(tmp_path)) == 2
    assert "1 of 2 picks are outside" in caplog.text
