# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that look like picks of one kind and are of another."""

import numpy as np
import pytest

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.pick_files.picks import PickFormat, read_pick_file

NAN = np.nan


def read(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return read_pick_file(path)


def check(found, yx, scores, box_size=None):
    ((name, picks),) = found.coordinates.items()
    assert name is None
    np.testing.assert_allclose(picks.yx, yx)
    np.testing.assert_array_equal(picks.scores, scores)
    assert found.box_size == box_size


@pytest.mark.parametrize(
    ("text", "scores"),
    [
        ("x,y,w,h,score\n80,30,20,40,0.5\n5,6,20,40,NA\n", [0.5, NAN]),
        ("xmin,ymin,xmax,ymax,conf\n80,30,100,70,0.5\n5,6,25,46,\n", [0.5, NAN]),
        ("x1;y1;x2;y2\n80;30;100;70\n5;6;25;46\n", [NAN, NAN]),
        ("left,top,width,height\n80,30,20,40\n5,6,20,40\n", [NAN, NAN]),
        ("cx,cy,w,h\n90,50,20,40\n15,26,20,40\n", [NAN, NAN]),
        ("80 30 100 70\n5 6 25 46\n", [NAN, NAN]),
        ("80,30,20,40\n5,6,20,40\n", [NAN, NAN]),
        ("0,80,30,20,40,0.5\n1,5,6,20,40,0.25\n", [0.5, 0.25]),
    ],
)
def test_boxes_in_tables_by_corners_and_by_size(tmp_path, text, scores):
    found = read(tmp_path, "m.csv", text)
    check(found, [[50, 90], [26, 15]], scores, box_size=30)


def test_four_numbers_that_could_be_either_are_refused(tmp_path):
    for rows in ("1,2,50,90\n", "1,2,50,90\n3,4,90,60\n"):
        with pytest.raises(FileFormatError, match=r"x1,y1,x2,y2, on line 1"):
            read(tmp_path, "m.csv", rows)
    with pytest.raises(FileFormatError, match=r"width and height above 0 on line 2"):
        read(tmp_path, "m.csv", "x,y,w,h\n1,2,0,8\n")


@pytest.mark.parametrize(
    "text",
    [
        "# y,x,score\n20,10,0.5\n40,30,0.25\n",
        "# made on Monday\n# y x score\n20 10 0.5\n40 30 0.25\n",
        ",x,y,score\n0,10,20,0.5\n1,30,40,0.25\n",
        "x,y,score\n1,10,20,0.5\n2,30,40,0.25\n",
        '"x" "y" "score"\n"1" 10 20 0.5\n"2" 30 40 0.25\n',
        "0 10 20 0.5\n1 30 40 0.25\n",
    ],
)
def test_commented_headers_and_row_numbers(tmp_path, text):
    check(read(tmp_path, "m.csv", text), [[20, 10], [40, 30]], [0.5, 0.25])


def test_row_numbers_before_x_and_y_alone(tmp_path):
    found = read(tmp_path, "m.csv", "1,10,20\n2,30,40\n3,50,60\n")
    check(found, [[20, 10], [40, 30], [60, 50]], [NAN] * 3)


@pytest.mark.parametrize("word", ["NA", "N/A", "nan", "None", "null", "<NA>", ""])
def test_a_score_that_is_missing(tmp_path, word):
    text = f"x,y,score\n10,20,{word}\n30,40,0.25\n"
    check(read(tmp_path, "m.csv", text), [[20, 10], [40, 30]], [NAN, 0.25])


def test_a_bad_score_is_named_as_such(tmp_path):
    for word in ("high", "inf"):
        with pytest.raises(FileFormatError, match=r"a score, on line 2"):
            read(tmp_path, "m.csv", f"x,y,score\n10,20,{word}\n")


@pytest.mark.parametrize("name", ["m.coords", "m.coord", "m.txt"])
def test_three_columns_of_x_y_and_z(tmp_path, name):
    found = read(tmp_path, name, "10 20 7\n30 40 9\n")
    check(found, [[20, 10], [40, 30]], [NAN, NAN])
    assert "x,y,score" in found.remarks[0]


def test_picks_of_a_tomogram_are_refused(tmp_path):
    star = "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n_rlnCoordinateZ\n"
    cbox = star.replace("data_", "data_cryolo").replace("rln", "")
    cbox += "_Width\n_Height\n"
    files = {
        "m.csv": ("x,y,z\n", "1,2,{}\n"),
        "m.star": (star, "1 2 {}\n"),
        "m.cbox": (cbox, "1 2 {} 8 8\n"),
    }
    for name, (header, row) in files.items():
        with pytest.raises(FileFormatError, match="tomogram"):
            read(tmp_path, name, header + row.format(3) + row.format(4))
        one_slice = read(tmp_path, name, header + row.format(0) + row.format(0))
        assert len(one_slice.coordinates[None]) == 2


MARK = "# XMIPP_STAR_1 *\n"


def test_boxes_of_a_tomogram_of_eman2_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match=r"tomogram \(boxes_3d\)"):
        read(tmp_path, "m_info.json", '{"boxes_3d": [[1, 2, 3, "tomo", 0.5, 0]]}')


def test_xmipps_export_of_all_micrographs(tmp_path):
    block = "data_mic_{}\nloop_\n _xcoor\n _ycoor\n {} {}\n"
    text = MARK + block.format("g_7", 10, 20) + block.format("g_8", 30, 40)
    found = read(tmp_path, "all.pos", text)
    assert list(found.coordinates) == ["g_7", "g_8"]
    np.testing.assert_array_equal(found.coordinates["g_8"].yx, [[40, 30]])


def test_particles_of_xmipps_deep_consensus(tmp_path):
    columns = "_enabled _image _micrograph _xcoor _ycoor _zScoreDeepLearning1"
    text = f"{MARK}data_noname\nloop_\n" + columns.replace(" ", "\n") + "\n"
    text += "1 1@a.stk Runs/1/extra/g_7.mrc 10 20 0.75\n"
    text += "-1 2@a.stk Runs/1/extra/g_7.mrc 30 40 0.25\n"
    text += "-1 3@a.stk Runs/1/extra/g_8.mrc 30 40 0.25\n"
    found = read(tmp_path, "particles.xmd", text).coordinates
    assert [len(picks) for picks in found.values()] == [1, 0]
    np.testing.assert_array_equal(found["Runs/1/extra/g_7.mrc"].scores, [0.75])


def test_a_name_that_begins_with_a_comment_mark_survives_in_a_table(tmp_path):
    found = read(tmp_path, "all.csv", "micrograph,x,y\n#7.mrc,1,2\n# 8 removed\n")
    assert list(found.coordinates) == ["#7.mrc"]


def test_the_kind_of_a_commented_header_is_seen_without_an_extension(tmp_path):
    path = tmp_path / "m"
    path.write_text("# y x score\n20 10 0.5\n")
    assert PickFormat.of(path) is PickFormat.CSV
