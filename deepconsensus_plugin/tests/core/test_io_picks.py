# SPDX-License-Identifier: GPL-3.0-or-later
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.pick_files.layouts import write_picks_folder
from deepconsensus_plugin.core.pick_files.picks import (
    PickFormat,
    read_pick_file,
    read_picks,
    write_merged_picks,
    write_picks,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

NAN = np.nan
IN_ONE_FILE = [kind for kind in PickFormat if kind.codec.write_merged]
PER_MICROGRAPH = [kind for kind in PickFormat if kind.codec.write]
WHOLE_PIXELS = [PickFormat.POS, PickFormat.TOPAZ]
SUBPIXEL = [kind for kind in PER_MICROGRAPH if kind not in WHOLE_PIXELS]


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return path


def check(picks, yx, scores):
    np.testing.assert_allclose(picks.yx, np.reshape(yx, (-1, 2)), atol=1e-9)
    np.testing.assert_array_equal(picks.scores, scores)


def the_only(path, **options):
    """Return the picks of a file's only micrograph, which Topaz' tables name."""
    ((name, picks),) = read_picks(path, **options).items()
    assert name in (None, "a")
    return picks


# --- EMAN box -------------------------------------------------------------------------


def test_box_corner_becomes_centre_by_the_rows_own_size(tmp_path):
    path = write(tmp_path, "a.box", "10.5\t20\t90\t90\t0.25\n1 2 4 6\n\n# end\n")
    check(the_only(path), [[65, 55.5], [5, 3]], [0.25, NAN])
    assert read_pick_file(path).box_size == 48


def test_box_rows_without_a_size_are_centres(tmp_path):
    path = write(tmp_path, "a.box", "10 20\n10 20 0 0 1.5\n")
    check(the_only(path), [[20, 10], [20, 10]], [NAN, 1.5])
    assert read_pick_file(path).box_size is None
    with pytest.raises(FileFormatError, match=r"positive width .* on line 1"):
        read_picks(write(tmp_path, "b.box", "10 20 8 0\n"))


def test_ends_of_filaments_are_no_particles(tmp_path):
    path = write(tmp_path, "a.box", "0 0 8 8 -1\n9 9 8 8 -2\n0 9 8 8 -1\n9 0 8 8 -2\n")
    with pytest.raises(FileFormatError, match="starts and ends of filaments"):
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


# --- crYOLO cbox ----------------------------------------------------------------------

CBOX = """
data_global

_cbox_format_version 1.0

data_cryolo

loop_
_CoordinateX #1
_CoordinateY #2
_CoordinateZ #3
_Width #4
_Height #5
_Depth #6
_EstWidth #7
_EstHeight #8
_Confidence #9
_NumBoxes #10
_Angle #11
10.5 20 <NA> 90 90 <NA> 81 84 0.25 1 <NA>
-3.0 4.0 nan 90 90 nan nan nan <NA> nan nan

data_cryolo_include

loop_
_slice_index #1

"""


def test_cbox_corner_becomes_centre_and_confidence_score(tmp_path):
    path = write(tmp_path, "a.cbox", CBOX)
    check(the_only(path), [[65, 55.5], [49, 42]], [0.25, NAN])
    assert read_pick_file(path).box_size == 90
    header, _, rest = CBOX.partition("10.5 20")
    nothing = header + rest[rest.index("\ndata_cryolo_include") :]
    check(the_only(write(tmp_path, "b.cbox", nothing)), [], [])


def test_cbox_of_an_early_crYOLO(tmp_path):
    path = write(tmp_path, "a.cbox", "10.5\t20\t90\t90\t0.25\t81\t84\n")
    check(the_only(path), [[65, 55.5]], [0.25])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CBOX.replace("90 90 <NA>", "90 <NA>"), "11 fields.* line 20"),
        (CBOX.replace("10.5 20", "<NA> 20"), "number for _CoordinateX on line 20"),
        (CBOX.replace("0.25", "good"), "number for _Confidence on line 20"),
        (CBOX.replace("10.5 20 <NA> 90", "10.5 20 <NA> 0"), "a positive size"),
        (CBOX.replace("_Width", "_Size"), "_Width.*received none called _Width"),
        ("1 2 3 4\n", "line 1, received '1 2 3 4'"),
    ],
)
def test_bad_cbox(tmp_path, text, message):
    with pytest.raises(FileFormatError, match=message):
        read_picks(write(tmp_path, "a.cbox", text))


# --- cryoSPARC cs ---------------------------------------------------------------------

LOCATION = [
    ("uid", "<u8"),
    ("location/micrograph_path", "S80"),
    ("location/micrograph_shape", "<u4", (2,)),
    ("location/center_x_frac", "<f4"),
    ("location/center_y_frac", "<f4"),
    ("pick_stats/ncc_score", "<f4"),
]
EXTRACTED = [
    ("location/micrograph_psize_A", "<f4"),
    ("blob/shape", "<u4", (2,)),
    ("blob/psize_A", "<f4"),
]
NAME = "J7/motioncorrected/006789012345678901234_mic_1_patch_aligned.mrc"


def write_cs(path, rows, fields=LOCATION):
    with path.open("wb") as file:
        np.save(file, np.array(rows, dtype=fields))
    return path


def test_cs_fractions_of_columns_and_rows(tmp_path):
    rows = [(1, f">{NAME}", (100, 200), 0.25, 0.5, 0.75)]
    path = write_cs(tmp_path / "particles.cs", rows)
    found = read_pick_file(path)
    check(found.coordinates[NAME], [[50, 50]], [0.75])
    assert found.shapes == {NAME: (100, 200)}
    assert found.box_size is None


def test_cs_box_of_extracted_particles_in_pixels_of_the_micrographs(tmp_path):
    rows = [(1, NAME, (100, 200), 0.25, 0.5, 0.75, 1.5, (32, 32), 3.0)]
    path = write_cs(tmp_path / "a.cs", rows, LOCATION + EXTRACTED)
    assert read_pick_file(path).box_size == 64


def test_cs_without_scores_and_without_rows(tmp_path):
    rows = [(1, NAME, (100, 200), 0.25, 0.5)]
    path = write_cs(tmp_path / "a.cs", rows, LOCATION[:-1])
    check(read_picks(path)[NAME], [[50, 50]], [NAN])
    assert read_picks(write_cs(tmp_path / "b.cs", [])) == {}


POWER = [("pick_stats/power", "<f4")]


@pytest.mark.parametrize(
    ("name", "ncc", "power", "expected"),
    [
        ("picked.cs", (0, 0), (31.5, -3), (31.5, -3)),
        ("picked.cs", (0.25, 0.5), (31.5, -3), (0.25, 0.5)),
        ("topaz_picked_particles.cs", (0.25, 0.5), (31.5, -3), (31.5, -3)),
        ("picked.cs", (0.25, 0.25), (7, 7), (0.25, 0.25)),
    ],
)
def test_cs_scores_of_topaz_are_its_power(tmp_path, name, ncc, power, expected):
    rows = [
        (1, NAME, (100, 200), 0.25, 0.5, *both) for both in zip(ncc, power, strict=True)
    ]
    found = read_pick_file(write_cs(tmp_path / name, rows, LOCATION + POWER))
    np.testing.assert_array_equal(found.coordinates[NAME].scores, expected)
    said = "Scores were read from pick_stats/power."
    assert found.remarks == ((said,) if expected == power else ())


def test_bad_cs(tmp_path):
    path = write_cs(tmp_path / "a.cs", [(1, NAME)], LOCATION[:2])
    with pytest.raises(FileFormatError, match=r"a\.cs: .*center_x_frac.*passthrough"):
        read_picks(path)
    path = write_cs(tmp_path / "a.cs", [(1, NAME, (0, 0), 0.25, 0.5, 0.75)])
    with pytest.raises(FileFormatError, match=r"micrograph_shape above 0.*row 0"):
        read_picks(path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileFormatError, match="NumPy records"):
        read_picks(path)
    for version in (b"\x94", b"\x95", b"\x96"):
        path.write_bytes(version + b"CSDAT" + b"\0" * 40)
        assert PickFormat.of(path.rename(tmp_path / "a")) is PickFormat.CS
        with pytest.raises(FileFormatError, match=r"CSDAT.*cryosparc-tools"):
            read_picks((tmp_path / "a").rename(path))


def test_cs_never_unpickles(tmp_path):
    path = tmp_path / "a.cs"
    with path.open("wb") as file:
        np.save(file, np.array([{"code": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FileFormatError, match="of object"):
        read_picks(path)


def test_cs_is_written_with_the_number_of_the_micrograph(tmp_path):
    picks = ScoredCoordinates.from_arrays([[50, 50], [10, 20]], [0.75, 0.5])
    names = [f"{2**63:021d}_mic.mrc", "mic_2.mrc"]
    for path in (tmp_path / "a.cs", tmp_path / "b.cs"):
        write_merged_picks(
            path,
            dict.fromkeys(names, picks),
            box_size=9,
            pick_format=PickFormat.CS,
            shapes=dict.fromkeys(names, (100, 200)),
        )
    assert path.read_bytes() == (tmp_path / "a.cs").read_bytes()
    records = np.load(path, allow_pickle=False)
    assert records["location/micrograph_uid"][0] == 2**63
    assert len(set(records["location/micrograph_uid"])) == 2
    assert len(set(records["uid"])) == 4
    np.testing.assert_allclose(records["location/center_x_frac"][:2], [0.25, 0.1])
    np.testing.assert_allclose(records["pick_stats/power"][:2], [0.75, 0.5])
    group = path.with_suffix(".csg").read_text()
    for slot in ("location", "pick_stats"):
        assert f"  {slot}:\n    metafile: '>b.cs'\n    num_items: 4\n" in group
        assert f"    type: particle.{slot}\n" in group
    with pytest.raises(ValueError, match=r"rows and columns.*none for mic_2\.mrc"):
        write_merged_picks(
            path, {"mic_2.mrc": picks}, box_size=9, pick_format=PickFormat.CS
        )


# --- Topaz ----------------------------------------------------------------------------


def test_topaz_table_of_several_images(tmp_path):
    text = "image_name\tx_coord\ty_coord\tscore\n001\t3\t4\t-0.5\nm 2\t5\t6\t1\n"
    path = write(tmp_path, "picks", text)
    assert PickFormat.of(path) is PickFormat.TOPAZ
    picks = read_picks(path)
    assert list(picks) == ["001", "m 2"]
    check(picks["001"], [[4, 3]], [-0.5])


def test_topaz_names_are_written_without_extension(tmp_path):
    picks = ScoredCoordinates.from_arrays([[4, 3]])
    path = tmp_path / "train"
    write_merged_picks(
        path, {"x/m.mrc": picks}, box_size=9, pick_format=PickFormat.TOPAZ
    )
    assert path.read_text() == "image_name\tx_coord\ty_coord\nm\t3\t4\n"
    for names, message in (
        (("m.mrc", "m.tif"), r"m\.mrc and m\.tif"),
        (("m\t1.mrc",), "rename the micrograph"),
    ):
        with pytest.raises(ValueError, match=message):
            write_merged_picks(
                path,
                dict.fromkeys(names, picks),
                box_size=9,
                pick_format=PickFormat.TOPAZ,
            )


@pytest.mark.parametrize("kind", IN_ONE_FILE)
@pytest.mark.parametrize(
    "name", ["a#2", "#a", "it's", 'say "a"', "a b", "data_7", "_x"]
)
def test_odd_names_survive_in_a_file_of_all(tmp_path, kind, name):
    picks = ScoredCoordinates.from_arrays([[4, 3], [2, 1]], [0.5, 0.25])
    path, name = tmp_path / "all", f"{name}.tif.mrc"
    options = {"box_size": 9, "pick_format": kind, "shapes": {name: (64, 64)}}
    write_merged_picks(path, {name: picks}, **options)
    ((found, again),) = read_picks(path, pick_format=kind).items()
    assert found == (name[:-4] if kind is PickFormat.TOPAZ else name)
    assert len(again) == 2


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


def test_merged_csv(tmp_path):
    path = write(tmp_path, "a.csv", "micrograph,x,y\nb.mrc,1,2\na.mrc,3,4\nb.mrc,5,6\n")
    picks = read_picks(path)
    assert list(picks) == ["b.mrc", "a.mrc"]
    check(picks["b.mrc"], [[2, 1], [6, 5]], [NAN, NAN])
    text = "Micrograph Filename,X-Coordinate,Y-Coordinate\nm_1.mrc,3,4\n"
    check(read_picks(write(tmp_path, "t.csv", text))["m_1.mrc"], [[4, 3]], [NAN])


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
    with pytest.raises(FileFormatError, match=r"UTF-8|NumPy records|unknown content"):
        read_picks(path)


@pytest.mark.parametrize("kind", PER_MICROGRAPH)
@pytest.mark.parametrize("scores", [[0.1, 0.7], [NAN, NAN]])
def test_round_trip(tmp_path, kind, scores):
    picks = ScoredCoordinates.from_arrays([[20, 10], [0, 31]], scores)
    path = tmp_path / f"a{kind.extension}"
    write_picks(path, picks, box_size=9, pick_format=kind, micrograph="a.mrc")
    check(the_only(path), picks.yx, picks.scores)
    check(the_only(path, pick_format=kind), picks.yx, picks.scores)


@pytest.mark.parametrize("kind", PER_MICROGRAPH)
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


@pytest.mark.parametrize("kind", SUBPIXEL)
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


@pytest.mark.parametrize("kind", WHOLE_PIXELS)
def test_some_are_written_in_whole_pixels(tmp_path, kind):
    picks = ScoredCoordinates.from_arrays([[2.5, 1.4]], [0.5])
    path = tmp_path / f"a{kind.extension}"
    write_picks(path, picks, box_size=9, pick_format=kind, micrograph="a.mrc")
    check(the_only(path), [[3, 1]], [0.5])


@pytest.mark.parametrize("kind", IN_ONE_FILE)
@pytest.mark.parametrize("name", ["all{}", "table_without_extension"])
def test_merged_round_trip(tmp_path, kind, name):
    subpixel = 0 if kind in WHOLE_PIXELS else 0.25
    coordinates = {
        "b 1.mrc": ScoredCoordinates.from_arrays(
            [[1, 2], [3 + subpixel, 4]], [0.5, NAN]
        ),
        "a.mrc": ScoredCoordinates.from_arrays([[5, 6]], [1]),
    }
    shapes = {"b 1.mrc": (64, 128), "a.mrc": (64, 64)}
    path = tmp_path / name.format(kind.extension)
    write_merged_picks(path, coordinates, box_size=9, pick_format=kind, shapes=shapes)
    assert PickFormat.of(path) is kind
    again = read_picks(path)
    without = kind is PickFormat.TOPAZ  # extensions
    assert list(again) == (["b 1", "a"] if without else list(coordinates))
    for picks, expected in zip(again.values(), coordinates.values(), strict=True):
        check(picks, expected.yx, expected.scores)


def test_formats_that_cannot_be_merged_or_split_say_so(tmp_path):
    with pytest.raises(ValueError, match=r"star, cs, topaz, csv.*received box"):
        write_merged_picks(
            tmp_path / "a.box", {}, box_size=9, pick_format=PickFormat.BOX
        )
    nothing = ScoredCoordinates.from_arrays([])
    with pytest.raises(ValueError, match=r"one micrograph a file.*received cs"):
        write_picks(
            tmp_path / "a.cs",
            nothing,
            box_size=9,
            pick_format=PickFormat.CS,
            micrograph="a.mrc",
        )


def test_four_numbers_are_boxes_only_if_square(tmp_path):
    assert PickFormat.of(write(tmp_path, "a", "1 2 8 8\n")) is PickFormat.BOX
    with pytest.raises(FileFormatError, match="unknown content"):
        PickFormat.of(write(tmp_path, "a.txt", "1 2 0.5 7\n"))


def test_unknown_content(tmp_path):
    with pytest.raises(FileFormatError, match="unknown content"):
        PickFormat.of(write(tmp_path, "a.log", "Hello, world\n"))
    with pytest.raises(FileNotFoundError):
        read_picks(tmp_path / "none.box")


def test_format_names():
    names = "box json pos star cbox cs topaz csv"
    assert [kind.value for kind in PickFormat] == names.split()
    assert PickFormat("star") is PickFormat.STAR


def test_numbers_of_formats_are_each_a_choice_of_a_form():
    numbers = [kind.number for kind in PickFormat.by_number()]
    assert numbers == list(range(1, len(PickFormat) + 1))


@pytest.mark.parametrize("kind", PER_MICROGRAPH)
def test_files_tell_the_box_size_where_their_format_says_so(tmp_path, kind):
    picks = {"mic_1.mrc": ScoredCoordinates.from_arrays([[20, 30], [40, 50]])}
    (path, *_) = write_picks_folder(tmp_path, picks, box_size=12, pick_format=kind)
    size = read_pick_file(path, pick_format=kind).box_size
    assert size == (12 if kind.codec.records_box_size else None)


@pytest.mark.parametrize("kind", PER_MICROGRAPH)
def test_numbers_in_the_files_are_corners_where_their_format_says_so(tmp_path, kind):
    picks = {"mic_1.mrc": ScoredCoordinates.from_arrays([[2000, 3000]])}
    (path, *_) = write_picks_folder(tmp_path, picks, box_size=100, pick_format=kind)
    numbers = {float(number) for number in re.findall(r"\d+\.?\d*", path.read_text())}
    assert {2950.0, 1950.0} <= numbers or not kind.codec.holds_corners
    assert {3000.0, 2000.0} <= numbers or kind.codec.holds_corners


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
