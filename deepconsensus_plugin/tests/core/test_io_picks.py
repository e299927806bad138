# SPDX-License-Identifier: GPL-3.0-or-later
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.picks import (
    PickFormat,
    read_pick_file,
    read_picks,
    write_merged_picks,
    write_picks,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

NAN = np.nan
PER_MICROGRAPH = [kind for kind in PickFormat if kind is not PickFormat.POS]


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return path


def check(picks, yx, scores):
    np.testing.assert_allclose(picks.yx, np.reshape(yx, (-1, 2)), atol=1e-9)
    np.testing.assert_array_equal(picks.scores, scores)


def the_only(path, **options):
    picks = read_picks(path, **options)
    assert list(picks) == [None]
    return picks[None]


# --- EMAN box -------------------------------------------------------------------------


def test_box_corner_becomes_centre_by_the_rows_own_size(tmp_path):
    path = write(tmp_path, "a.box", "10.5\t20\t90\t90\t0.25\n1 2 4 6\n\n# end\n")
    check(the_only(path, box_size=7), [[65, 55.5], [5, 3]], [0.25, NAN])
    assert read_pick_file(path).box_size == 48


def test_box_without_a_size_needs_one(tmp_path):
    path = write(tmp_path, "a.box", "10 20\n10 20 0 0 1.5\n")
    check(the_only(path, box_size=10), [[25, 15], [25, 15]], [NAN, 1.5])
    with pytest.raises(FileFormatError, match=r"positive width .* on line 1"):
        read_picks(path)


def test_box_mark_of_eman1_is_no_score(tmp_path):
    marked = write(tmp_path, "a.box", "0 0 8 8 -3\n8 8 8 8 -3\n")
    check(the_only(marked), [[4, 4], [12, 12]], [NAN, NAN])
    scored = write(tmp_path, "b.box", "0 0 8 8 -3\n8 8 8 8 -2.5\n")
    check(the_only(scored), [[4, 4], [12, 12]], [-3, -2.5])


@pytest.mark.parametrize("row", ["1 2 3", "1 x 8 8", "nan 2 8 8", "1 2 8 8 high"])
def test_bad_box_row_is_named(tmp_path, row):
    path = write(tmp_path, "a.box", f"1 2 8 8\n\n{row}\n")
    with pytest.raises(FileFormatError, match=rf"a.box: .*line 3, received '{row}'"):
        read_picks(path)


# --- EMAN2 JSON -----------------------------------------------------------------------


def test_json_centres_and_scores(tmp_path):
    boxes = [[10, 20.5, "manual"], [1, 2, "auto", 0.75], [3, 4, "auto", None]]
    path = write(tmp_path, "a_info.json", json.dumps({"boxes": boxes, "ctf": [1]}))
    check(the_only(path), [[20.5, 10], [2, 1], [4, 3]], [NAN, 0.75, NAN])


def test_json_without_boxes_says_nothing(tmp_path):
    assert read_picks(write(tmp_path, "a_info.json", '{"ctf": []}')) == {}
    check(the_only(write(tmp_path, "b_info.json", '{"boxes": []}')), [], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", "a JSON object"),
        ("{", "JSON"),
        ('{"boxes": 3}', "a list 'boxes'"),
        ('{"boxes": [[1, 2], [1, true]]}', "box 2 of 'boxes'"),
    ],
)
def test_bad_json(tmp_path, text, message):
    with pytest.raises(FileFormatError, match=message):
        read_picks(write(tmp_path, "a.json", text))


# --- Xmipp pos ------------------------------------------------------------------------

POS = """# XMIPP_STAR_1 *
#
data_header
loop_
 _pickingMicrographState
Supervised
data_particles
loop_
 _itemId
 _enabled
 _xcoor
 _ycoor
 _cost
 000001 1 10 20 0.5
 000002 -1 11 21 0.9
data_particles_auto
loop_
 _enabled
 _xcoor
 _ycoor
 1 30 40
 0 31 41
"""


def test_pos_takes_both_blocks_and_drops_what_is_disabled(tmp_path):
    check(the_only(write(tmp_path, "a.pos", POS)), [[20, 10], [40, 30]], [0.5, NAN])


def test_pos_with_one_particle_without_a_loop_and_with_none(tmp_path):
    header = "data_header\nloop_\n _pickingMicrographState\nAuto\n"
    one = "data_particles\n _xcoor 3\n _ycoor 4\n _cost 2\n"
    check(the_only(write(tmp_path, "a.pos", header + one)), [[4, 3]], [2])
    check(the_only(write(tmp_path, "b.pos", header)), [], [])


def test_bad_pos(tmp_path):
    ragged = POS.replace(" 000002 -1 11 21 0.9", " 000002 -1 11")
    with pytest.raises(FileFormatError, match=r"5 fields.*line 15.*'000002 -1 11'"):
        read_picks(write(tmp_path, "a.pos", ragged))
    with pytest.raises(FileFormatError, match=r"number for _xcoor on line 14"):
        read_picks(write(tmp_path, "b.pos", POS.replace("1 10 20", "1 ten 20")))
    with pytest.raises(FileFormatError, match="data_particles"):
        read_picks(write(tmp_path, "c.pos", "data_other\n _a 1\n"))


# --- RELION star ----------------------------------------------------------------------

STAR = """
data_

loop_
_rlnCoordinateX #1
_rlnCoordinateY #2
_rlnAutopickFigureOfMerit #3
10.5 20 0.5
30 40 -999.000000
"""
MERGED = """
# version 30001

data_optics

loop_
_rlnOpticsGroup #1
_rlnImagePixelSize #2
1 1.5

# version 30001

data_particles

loop_
_rlnMicrographName #1
_rlnCoordinateY #2
_rlnCoordinateX #3
MotionCorr/job002/001.mrc 1 2
002.mrc 3 4
MotionCorr/job002/001.mrc 5 6
"""


def test_star_of_one_micrograph(tmp_path):
    check(the_only(write(tmp_path, "a.star", STAR)), [[20, 10.5], [40, 30]], [0.5, NAN])


def test_merged_star_keeps_names_that_look_like_numbers(tmp_path):
    picks = read_picks(write(tmp_path, "a.star", MERGED.replace("002.mrc", "002")))
    assert list(picks) == ["MotionCorr/job002/001.mrc", "002"]
    check(picks["MotionCorr/job002/001.mrc"], [[1, 2], [5, 6]], [NAN, NAN])
    check(picks["002"], [[3, 4]], [NAN])


def test_star_without_rows(tmp_path):
    header = STAR[: STAR.index("10.5")]
    check(the_only(write(tmp_path, "a.star", header)), [], [])


def test_autopick_star_is_followed(tmp_path):
    folder = tmp_path / "AutoPick" / "job005"
    folder.mkdir(parents=True)
    write(folder, "m_autopick.star", STAR)
    listed = (
        "data_coordinate_files\n\nloop_\n_rlnMicrographName #1\n"
        "_rlnMicrographCoordinates #2\nMotionCorr/m.mrc {}\n"
    )
    name = "AutoPick/job005/m_autopick.star"
    path = write(folder, "autopick.star", listed.format(name))
    picks = read_picks(path)
    assert list(picks) == ["MotionCorr/m.mrc"]
    check(picks["MotionCorr/m.mrc"], [[20, 10.5], [40, 30]], [0.5, NAN])
    path = write(folder, "autopick.star", listed.format("gone.star"))
    with pytest.raises(FileFormatError, match=r"no file gone\.star"):
        read_picks(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("30 40 -999.000000", "30 40", "3 fields, as many as columns on line 9"),
        ("10.5 20 0.5", "10.5 20 0.5 7", "3 fields, as many as columns on line 8"),
        ("30 40", "thirty 40", "number for _rlnCoordinateX on line 9"),
        ("30 40", "30 nan", "number for _rlnCoordinateY on line 9"),
        ("-999.000000", "good", "number for _rlnAutopickFigureOfMerit on line 9"),
        ("_rlnCoordinateX", "_rlnX", "_rlnCoordinateX and _rlnCoordinateY"),
        ("data_", "block", "no block with columns"),
    ],
)
def test_bad_star(tmp_path, old, new, message):
    path = write(tmp_path, "a.star", STAR.replace(old, new))
    with pytest.raises(FileFormatError, match=message):
        read_picks(path)


def test_a_star_file_read_again_after_it_changed(tmp_path):
    path = write(tmp_path, "a.star", STAR.replace("30 40", "30"))
    with pytest.raises(FileFormatError):
        read_picks(path)
    write(tmp_path, "a.star", STAR)
    assert len(the_only(path)) == 2


# --- CSV ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "yx", "scores"),
    [
        ("x,y\n1.5,2\n", [[2, 1.5]], [NAN]),
        ("1.5,2\n3,4\n", [[2, 1.5], [4, 3]], [NAN, NAN]),
        ("1.5, 2, 0.5\n", [[2, 1.5]], [0.5]),
        ("# made by x\n1.5 2 0.5\n", [[2, 1.5]], [0.5]),
        ("y;x;score\n2;1.5;\n4;3;1\n", [[2, 1.5], [4, 3]], [NAN, 1]),
        ("\ufeffX\tY\tConfidence\n1.5\t2\t-3\n", [[2, 1.5]], [-3]),
        ('"x","y","note"\n1.5,2,"a, b"\n', [[2, 1.5]], [NAN]),
        (
            "X-Coordinate,Y-Coordinate,Class 2D Resolution,Diameter\n1.5,2,8.1,90\n",
            [[2, 1.5]],
            [NAN],
        ),
        ("x,y,score\n", [], []),
    ],
)
def test_csv(tmp_path, text, yx, scores):
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    check(the_only(path), yx, scores)


def test_merged_csv_and_topaz_table(tmp_path):
    path = write(tmp_path, "a.csv", "micrograph,x,y\nb.mrc,1,2\na.mrc,3,4\nb.mrc,5,6\n")
    picks = read_picks(path)
    assert list(picks) == ["b.mrc", "a.mrc"]
    check(picks["b.mrc"], [[2, 1], [6, 5]], [NAN, NAN])
    text = "image_name\tx_coord\ty_coord\tscore\nm_1\t3\t4\t-0.5\n"
    check(read_picks(write(tmp_path, "t.txt", text))["m_1"], [[4, 3]], [-0.5])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,y\n1,2\n1\n", "2 fields.* line 3"),
        ("x,y\n1,two\n", "line 2, received '1,two'"),
        ("1,2\n1,inf\n", "line 2"),
        ("1,2,3,4\n", "line 1"),
        ("a,b\n1,2\n", "columns x and y on line 1.*received columns a, b"),
        ("micrograph,x,y\n,1,2\n", "line 2"),
        ("x,y,score\n1,2,high\n", "line 2"),
    ],
)
def test_bad_csv(tmp_path, text, message):
    with pytest.raises(FileFormatError, match=message):
        read_picks(write(tmp_path, "a.csv", text))


# --- all formats ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(PickFormat))
def test_an_empty_file_is_an_empty_pick(tmp_path, kind):
    path = write(tmp_path, f"a{kind.extension}", "")
    assert PickFormat.of(path) is kind
    check(the_only(path), [], [])


@pytest.mark.parametrize("kind", list(PickFormat))
def test_binary_content_is_refused(tmp_path, kind):
    path = tmp_path / f"a{kind.extension}"
    path.write_bytes(b"\xff\xfe\x00\x01" * 9)
    with pytest.raises(FileFormatError, match="UTF-8"):
        read_picks(path)


@pytest.mark.parametrize("kind", list(PickFormat))
@pytest.mark.parametrize("scores", [[0.1, 0.7], [NAN, NAN]])
def test_round_trip(tmp_path, kind, scores):
    picks = ScoredCoordinates.from_arrays([[20, 10], [0, 31]], scores)
    path = tmp_path / f"a{kind.extension}"
    write_picks(path, picks, box_size=9, pick_format=kind, micrograph="a.mrc")
    check(the_only(path), picks.yx, picks.scores)
    check(the_only(path, pick_format=kind), picks.yx, picks.scores)


@pytest.mark.parametrize("kind", list(PickFormat))
def test_round_trip_of_nothing_and_detection_by_content(tmp_path, kind):
    nothing = ScoredCoordinates.from_arrays([])
    path = tmp_path / f"a{kind.extension}"
    write_picks(path, nothing, box_size=9, pick_format=kind, micrograph="a.mrc")
    check(the_only(path), [], [])
    one = ScoredCoordinates.from_arrays([[3, 4]], [0.5])
    other = tmp_path / "a.other"
    write_picks(other, one, box_size=9, pick_format=kind, micrograph="a.mrc")
    assert PickFormat.of(other) is kind


numbers = st.floats(-1e5, 1e5, allow_nan=False)
a_score = st.floats(-900, 900) | st.sampled_from([NAN, -3.0])  # -999 means none
rows = st.lists(st.tuples(numbers, numbers, a_score), max_size=5)


@pytest.mark.parametrize("kind", PER_MICROGRAPH)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=rows)
def test_any_numbers_survive(tmp_path, kind, rows):
    table = np.reshape(rows, (-1, 3))
    picks = ScoredCoordinates.from_arrays(table[:, :2], table[:, 2])
    path = tmp_path / "a"
    write_picks(path, picks, box_size=90, pick_format=kind, micrograph="a.mrc")
    check(the_only(path, pick_format=kind), picks.yx, picks.scores)


def test_pos_is_written_in_whole_pixels(tmp_path):
    picks = ScoredCoordinates.from_arrays([[2.5, 1.4]], [0.5])
    path = tmp_path / "a.pos"
    write_picks(path, picks, box_size=9, pick_format=PickFormat.POS, micrograph="a.mrc")
    check(the_only(path), [[3, 1]], [0.5])


@pytest.mark.parametrize("kind", [PickFormat.STAR, PickFormat.CSV])
def test_merged_round_trip(tmp_path, kind):
    coordinates = {
        "b 1.mrc": ScoredCoordinates.from_arrays([[1, 2], [3.25, 4]], [0.5, NAN]),
        "a.mrc": ScoredCoordinates.from_arrays([[5, 6]], [1]),
    }
    path = tmp_path / f"all{kind.extension}"
    write_merged_picks(path, coordinates, box_size=9, pick_format=kind)
    again = read_picks(path)
    assert list(again) == list(coordinates)
    for name, picks in coordinates.items():
        check(again[name], picks.yx, picks.scores)


def test_formats_that_cannot_be_merged_say_so(tmp_path):
    with pytest.raises(ValueError, match=r"star, csv.*received box"):
        write_merged_picks(
            tmp_path / "a.box", {}, box_size=9, pick_format=PickFormat.BOX
        )


def test_unknown_content(tmp_path):
    with pytest.raises(FileFormatError, match="unknown content"):
        PickFormat.of(write(tmp_path, "a.log", "Hello, world\n"))
    with pytest.raises(FileNotFoundError):
        read_picks(tmp_path / "none.box")


def test_format_names():
    assert [kind.value for kind in PickFormat] == ["box", "json", "pos", "star", "csv"]
    assert PickFormat("star") is PickFormat.STAR


def test_real_picks_are_as_many_as_lines():
    folder = os.environ.get("DEEPCONSENSUS_DATA")
    if not folder:
        pytest.skip("DEEPCONSENSUS_DATA names no folder with the real picks")
    paths = sorted(Path(folder).glob("empiar10017/pickers/*/*.box"))
    assert len(paths) == 3 * 8 + 3 * 12
    for path in paths:
        assert len(the_only(path)) == len(path.read_text().splitlines())
    truth = Path(folder).glob("empiar10017/truth/*.csv")
    assert sum(len(the_only(path)) for path in truth) == 8008
