# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables, JSON and records that hold what cannot be: each kind of fault once."""

from __future__ import annotations

import json
import tracemalloc

import numpy as np
import pytest

from deepconsensus_plugin.commands.exported import read_summary
from deepconsensus_plugin.core.ctf_files import read_ctfs
from deepconsensus_plugin.core.errors import FileFormatError, OutOfRangeError
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.jobs import read_any_request, read_result, result_path
from deepconsensus_plugin.core.limits import FARTHEST_PX
from deepconsensus_plugin.core.metrics.evaluation import evaluate_picks, read_curve
from deepconsensus_plugin.core.metrics.stored_figures import read_figures
from deepconsensus_plugin.core.pick_files.picks import read_picks
from deepconsensus_plugin.core.pipeline.simulate import SimulateResult
from deepconsensus_plugin.core.serialisation import read_json
from deepconsensus_plugin.core.simulation.truth import read_truth
from deepconsensus_plugin.core.types import ScoredCoordinates

STAR = "data_\nloop_\n_rlnCoordinateX #1\n_rlnCoordinateY #2\n"
CBOX = "data_cryolo\nloop_\n_CoordinateX\n_CoordinateY\n_Width\n_Height\n_Confidence\n"
POS = "data_particles\nloop_\n_xcoor\n_ycoor\n_cost\n"
TOPAZ = "image_name\tx_coord\ty_coord\tscore\n"
NOT_POSITIONS = ("nan", "inf", "-inf", "1e300", "-9.2e18", "1000001", "9" * 400, "1_0")
NOT_SCORES = ("inf", "-inf", "1e300", "1e999", "1_0", "½")


def refuse(path, content, match):
    """Write a file of picks, and see it refused."""
    mode = "wb" if isinstance(content, bytes) else "w"
    with path.open(mode) as file:
        file.write(content)
    with pytest.raises(FileFormatError, match=match):
        read_picks(path)


@pytest.mark.parametrize("token", NOT_POSITIONS)
def test_positions_that_none_can_have_are_refused_with_their_line(tmp_path, token):
    refuse(tmp_path / "a.box", f"1 2 64 64 1\n{token} 2 64 64 1\n", "on line 2")
    refuse(tmp_path / "a.cbox", f"1 2 64 64 1\n1 {token} 64 64 1\n", "on line 2")
    refuse(tmp_path / "b.cbox", f"{CBOX}1 {token} 64 64 1\n", "on line 8")
    refuse(tmp_path / "a.csv", f"x,y\n{token},2\n", "on line 2")
    refuse(tmp_path / "a.txt", f"{TOPAZ}m\t{token}\t2\t1\n", "on line 2")
    refuse(tmp_path / "a.star", f"{STAR}1 {token}\n", "on line 5")
    refuse(tmp_path / "a.pos", f"{POS}1 {token} 0\n", "on line 6")


@pytest.mark.parametrize("token", NOT_SCORES)
def test_scores_that_none_can_have_are_refused_with_their_line(tmp_path, token):
    refuse(tmp_path / "a.box", f"1 2 64 64 {token}\n", "on line 1")
    refuse(tmp_path / "a.cbox", f"{CBOX}1 2 64 64 {token}\n", "on line 8")
    refuse(tmp_path / "a.csv", f"x,y,score\n1,2,{token}\n", "on line 2")
    refuse(tmp_path / "a.pos", f"{POS}1 2 {token}\n", "on line 6")


def test_sums_and_factors_that_lead_too_far_are_refused(tmp_path):
    far = FARTHEST_PX
    refuse(tmp_path / "a.box", f"{far} 2 64 64 1\n", "at most")
    origins = "_rlnOriginXAngst\n_rlnOriginYAngst\n_rlnMicrographPixelSize\n"
    refuse(tmp_path / "a.star", f"{STAR}{origins}1 1 {far} 0 0.5\n", "at most")
    with pytest.raises(OutOfRangeError, match="at most, received 2e"):
        ScoredCoordinates.from_arrays([[0, 2 * far]])
    assert len(ScoredCoordinates.from_arrays([[0, far]])) == 1


@pytest.mark.parametrize(
    ("boxes", "match"),
    [
        ("[[1e999, 2]]", "too large"),
        (f"[[{'9' * 400}, 2]]", "64 bits"),
        (f"[[{'9' * 5000}, 2]]", "64 bits"),
        ("[[1, 3e9]]", "box 1 of"),
        ("[[NaN, 2]]", "box 1 of"),
        ('[[1, 2, "auto", 1e300]]', "box 1 of"),
        ('[[1, 2, "auto", Infinity]]', "box 1 of"),
        ("[" * 100_000, "within each other"),
    ],
)
def test_numbers_of_eman2_that_none_can_be_are_refused(tmp_path, boxes, match):
    refuse(tmp_path / "a.json", f'{{"boxes": {boxes}}}', match)


def test_only_line_ends_end_lines(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"#c\x0b1,2\r\n3,4\r5,6\n")
    found = read_picks(tmp_path / "a.csv")[None]
    assert found.yx.tolist() == [[4, 3], [6, 5]]


def test_columns_of_one_name_are_refused(tmp_path):
    refuse(tmp_path / "a.star", f"{STAR}_rlnCoordinateX #3\n1 2 3\n", "different names")


def test_a_list_of_itself_is_refused(tmp_path):
    head = "data_coordinate_files\nloop_\n_rlnMicrographName\n"
    for file, match in (("a.star", "a list of 1 files"), ("x/" * 3000, "no file x/")):
        text = f"{head}_rlnMicrographCoordinates\nm.mrc {file}\n"
        refuse(tmp_path / "a.star", text, match)


class TestRecords:
    """Files of cryoSPARC."""

    KIND = (
        ("location/micrograph_path", "S12"),
        ("location/micrograph_shape", "<u4", (2,)),
        ("location/center_x_frac", "<f4"),
        ("location/center_y_frac", "<f4"),
        ("pick_stats/ncc_score", "<f4"),
    )

    def records(self, **values):
        records = np.zeros(2, np.dtype([*self.KIND]))
        records["location/micrograph_path"] = b"m.mrc"
        records["location/micrograph_shape"] = 1000
        for name, value in values.items():
            (field,) = (each[0] for each in self.KIND if each[0].endswith(name))
            records[field] = value
        return records

    @pytest.mark.parametrize(
        ("values", "match"),
        [
            ({"center_x_frac": 1e5}, "in row 0"),
            ({"center_x_frac": np.nan}, "in row 0"),
            ({"micrograph_shape": 2**31}, "in row 0"),
            ({"ncc_score": np.inf}, "in row 0"),
            ({"micrograph_path": b"\xd7x"}, "UTF-8 in location/micrograph_path"),
        ],
    )
    def test_values_that_cannot_be(self, tmp_path, values, match):
        with (tmp_path / "a.cs").open("wb") as file:
            np.save(file, self.records(**values))
        with pytest.raises(FileFormatError, match=match):
            read_picks(tmp_path / "a.cs")

    def test_fields_of_other_types(self, tmp_path):
        kind = [(name, "S12", *more) for name, _, *more in self.KIND]
        with (tmp_path / "a.cs").open("wb") as file:
            np.save(file, np.zeros(2, np.dtype(kind)))
        with pytest.raises(FileFormatError, match="expected numbers of shape"):
            read_picks(tmp_path / "a.cs")

    @pytest.mark.parametrize("shape", ["(10000000000,)", "(-1,)", "(1, 2)", "()"])
    def test_a_header_that_asks_for_more_than_there_is(self, tmp_path, shape):
        path = tmp_path / "a.cs"
        with path.open("wb") as file:
            np.save(file, self.records())
        content = path.read_bytes()
        begin = content.index(b"'shape'")
        end = content.index(b"}", begin)
        other = f"'shape': {shape}, ".encode().ljust(end - begin)[: end - begin]
        path.write_bytes(content[:begin] + other + content[end:])
        with pytest.raises(FileFormatError, match=r"expected a \.cs file"):
            read_picks(path)


HEADER = (
    "micrograph,x,y,score,network_score,spread,votes,observed,pickers,picker_scores"
)
GOOD = "m.mrc,10,20,0.9,0.8,0.01,2,a;b,a;b,0.5;0.6,1"


@pytest.mark.parametrize(
    ("row", "match"),
    [
        (GOOD.replace("10,20", "nan,20"), "on line 2"),
        (GOOD.replace("10,20", "10,-9.2e18"), "on line 2"),
        (GOOD.replace("0.9", "inf"), "on line 2"),
        (GOOD.replace(",2,", ",-1,"), "votes to be 2.* on line 2"),
        (GOOD.replace(",2,", ",1,"), "votes to be 2.* on line 2"),
        (GOOD.replace(",2,", f",{'9' * 30},"), "votes to be 2.* on line 2"),
        (GOOD.replace("a;b,a;b", "a,a;b"), "among the observed ones on line 2"),
        (GOOD.replace("a;b,a;b", "a;b,a;a"), "different pickers on line 2"),
        (GOOD.replace("0.5;0.6", "0.5"), "as many picker_scores"),
        (GOOD.replace("0.01", "-0.01"), "spread of 0 or more"),
        (GOOD.replace("m.mrc", " "), "a name of a micrograph"),
        (GOOD.replace("m.mrc", "m" * 140_000), "can be parsed"),
    ],
)
def test_scores_edited_by_hand_are_refused(tmp_path, row, match):
    path = tmp_path / "scores.csv"
    path.write_text(f"{HEADER},accepted\n{row}\n")
    with pytest.raises(FileFormatError, match=rf"scores\.csv: .*{match}"):
        read_scores_csv(path)
    path.write_text(f"{HEADER},accepted\n{GOOD}\n")
    assert read_scores_csv(path).votes.tolist() == [2]


def test_scores_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "scores.csv").write_bytes(b"\xed\xa0")
    with pytest.raises(FileFormatError, match="UTF-8"):
        read_scores_csv(tmp_path / "scores.csv")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"\xff{}", "UTF-8"),
        (b"[" * 100_000, "within each other"),
        (b'{"schema": ' + b"9" * 5000 + b"}", "64 bits"),
        (b'{"schema": 1, "a": NaN}', "NaN, which is no number"),
        (b'{"schema": 1, "a": 1e999}', "too large"),
        (b"[]", "a list"),
        (b'{"schema": [1]}', r"schema \[1\]"),
    ],
)
def test_json_that_is_none_is_refused(tmp_path, content, match):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(FileFormatError, match=rf"a\.json: .*{match}"):
        read_json(tmp_path / "a.json")


MICROGRAPH = {"name": "m", "path": "m", "shape": [9, 9], "sampling_rate": 1.0}


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ({}, "the key kind"),
        ({"kind": ["pick"]}, "kind to be one of"),
        ({"kind": "pick"}, "the key request"),
        ({"kind": "pick", "request": -1}, "PickRequest to be values by name"),
        ({"kind": "score", "request": []}, "ScoreRequest to be values by name"),
        *(
            ({"kind": "pick", "request": {"micrographs": [MICROGRAPH | bad]}}, match)
            for bad, match in (
                ({"shape": [0, 9]}, r"micrographs\.0\.shape\.0 to be"),
                ({"shape": [9, 2**40]}, r"micrographs\.0\.shape\.1 to be"),
                ({"sampling_rate": 1e300}, r"micrographs\.0\.sampling_rate to be"),
                ({"sampling_rate": 0}, r"micrographs\.0\.sampling_rate to be"),
            )
        ),
    ],
)
def test_jobs_that_cannot_be_are_refused(tmp_path, content, match):
    path = tmp_path / "job.json"
    path.write_text(json.dumps({"schema": 1, **content}))
    with pytest.raises(FileFormatError, match=match):
        read_any_request(path)


def test_a_result_without_one_is_refused(tmp_path):
    result_path(tmp_path / "job.json").write_text('{"schema": 1}')
    with pytest.raises(FileFormatError, match="the key result"):
        read_result(tmp_path / "job.json", SimulateResult)


@pytest.mark.parametrize(
    ("part", "match"),
    [
        ({"box_size": 0}, "box_size to be"),
        ({"observed": "x"}, "observed to be"),
        ({"micrograph_shapes": "x"}, "micrograph_shapes to be"),
        ({"micrograph_shapes": {"m": None}}, r"micrograph_shapes\.m to be"),
        ({"micrograph_shapes": {"m": [5]}}, r"micrograph_shapes\.m"),
        ({"micrograph_shapes": {"m": [0, 5]}}, r"micrograph_shapes\.m\.0 to be"),
        ({"sampling_rate": -1}, "sampling_rate to be"),
    ],
)
def test_summaries_that_cannot_be_are_refused(tmp_path, part, match):
    path = tmp_path / "summary.json"
    path.write_text(json.dumps({"schema": 1, "box_size": 64, **part}))
    with pytest.raises(FileFormatError, match=match):
        read_summary(path)


def test_ctfs_that_cannot_be_are_refused(tmp_path):
    names = "MicrographName DefocusU DefocusV DefocusAngle Voltage"
    names = [*names.split(), "SphericalAberration", "AmplitudeContrast"]
    head = "data_\nloop_\n" + "".join(f"_rln{name}\n" for name in names)
    good = ["m.mrc", "15000", "14900", "45", "300", "2.7", "0.1"]
    path = tmp_path / "ctf.star"
    path.write_text(head + " ".join(good) + "\n")
    assert read_ctfs(path)["m.mrc"].voltage_kV == 300
    for column, value in ((1, "1e300"), (4, "0"), (4, "-300"), (5, "1e9"), (6, "70")):
        row = [*good[:column], value, *good[column + 1 :]]
        path.write_text(head + " ".join(row) + "\n")
        with pytest.raises(FileFormatError, match=r"from .* to .* for m\.mrc"):
            read_ctfs(path)


def test_one_long_field_takes_no_memory_for_every_row(tmp_path):
    rows = "1 2\n" * 20_000
    path = tmp_path / "a.star"
    path.write_text(f"{STAR}{rows}{'9' * 1_000_000} 2\n")
    tracemalloc.start()
    with pytest.raises(FileFormatError) as refused:
        read_picks(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "line 20005" in str(refused.value)
    assert len(str(refused.value)) < 1000
    assert peak < 1e8  # as one array: 80 GB


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ("1e300,1,good,x,10,,,", "x 1e.300, beyond"),
        ("nan,1,good,x,10,,,", "x nan"),
        ("1,1,good,x,0,,,", "diameter 0"),
        ("1,1,fine,x,10,,,", "fine"),
        ("1,1,good,x,10,1,2,inf", "psi inf"),
        ("1,1", "line 2"),
    ],
)
def test_a_truth_that_cannot_be_is_refused(tmp_path, row, match):
    path = tmp_path / "truth.csv"
    path.write_text(f"x,y,class,kind,diameter_A,rot,tilt,psi\n{row}\n")
    with pytest.raises(FileFormatError, match=match):
        read_truth(path)


@pytest.mark.parametrize(
    "content", ["", "a,b,c\n", "{head}\n1,2,3\n", "{head}\n1,nan,0\n", "{head}\n1,1\n"]
)
def test_a_curve_that_cannot_be_is_refused(tmp_path, content):
    path = tmp_path / "curve.csv"
    path.write_text(content.format(head="threshold,precision,recall"))
    with pytest.raises(
        FileFormatError, match="a table of threshold, precision, recall"
    ):
        read_curve(path)


def test_figures_that_cannot_be_are_refused(tmp_path):
    path, picks = (
        tmp_path / "metrics.json",
        {"a": ScoredCoordinates.from_arrays([(5, 5)])},
    )
    found = evaluate_picks(picks, picks, {"a": (90, 90)}, box_size=9, radius_px=2)
    figures = json.loads(json.dumps(found.to_dict()))
    path.write_text(json.dumps(figures))
    assert read_figures(path) == figures
    for name, value in (
        *(("f1", "high"), ("f1", True), ("n_truth", -1), ("n_truth", 1.5)),
        *(("intervals", [1]), ("intervals", {"f1": [1]}), ("blind_lattice", None)),
        ("n_not_observed", None),
    ):
        path.write_text(json.dumps(figures | {name: value}))
        with pytest.raises(FileFormatError, match=f"expected {name}.* to be"):
            read_figures(path)
    path.write_text(json.dumps({k: v for k, v in figures.items() if k != "recall"}))
    with pytest.raises(FileFormatError, match="recall to be a number or null"):
        read_figures(path)
