# SPDX-License-Identifier: GPL-3.0-or-later
"""Scipion's sets to core types and back: frames, order, provenance, foreign sets."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import mrcfile
import numpy as np
import pytest
from pwem.objects import (
    Acquisition,
    Coordinate,
    CTFModel,
    Micrograph,
    SetOfCoordinates,
    SetOfCTF,
    SetOfMicrographs,
)
from pyworkflow.object import Float

from deepconsensus_plugin import set_columns
from deepconsensus_plugin.constants import PICKER_SCORE_ATTRIBUTE, SCORE_ATTRIBUTE
from deepconsensus_plugin.convert import (
    BoxFrame,
    PickerCoverage,
    append_candidates,
    append_coordinates,
    candidates_and_items,
    candidates_from_set,
    coordinates_from_set,
    items_with_micrograph,
    masks_of,
    micrographs_from_set,
    observed_in,
    picks_from_set,
    places_of_items,
    read_observed,
    scaled_item,
    write_observed,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.errors import NameMatchError
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates

NAMES = ("m1.mrc", "m2.mrc", "m3.mrc")


def _micrographs(folder, names=NAMES, *, rate=2.0, first_id=1, voltage=300.0):
    folder.mkdir(exist_ok=True)
    items = SetOfMicrographs(filename=str(folder / "micrographs.sqlite"))
    items.setSamplingRate(rate)
    acquisition = Acquisition(
        voltage=voltage, sphericalAberration=2.7, amplitudeContrast=0.1
    )
    for number, name in enumerate(names):
        path = folder / name
        if not path.exists():
            mrcfile.write(path, np.zeros((20, 30), np.float32))
        item = Micrograph(location=str(path))
        item.setObjId(first_id + number)
        item.setMicName(name)
        item.setSamplingRate(rate)
        item.setAcquisition(acquisition)
        items.append(item)
    items.write()
    return items


def _coordinates(folder, micrographs, found=None, *, name="coordinates", box=10):
    items = SetOfCoordinates(filename=str(folder / f"{name}.sqlite"))
    items.setMicrographs(micrographs)
    items.setBoxSize(box)
    if found is not None:
        append_coordinates(items, micrographs, found)
        items.write()
    return items


def _ctfs(folder, micrographs, defocus):
    ctfs = SetOfCTF(filename=str(folder / "ctfs.sqlite"))
    for item in micrographs.iterItems():
        if item.getMicName() in defocus:
            defocus_u = defocus[item.getMicName()]
            model = CTFModel(
                defocusU=defocus_u, defocusV=defocus_u - 1000, defocusAngle=30.0
            )
            model.setPhaseShift(90.0)
            model.setMicrograph(item.clone())
            ctfs.append(model)
    ctfs.write()
    return ctfs


def _at(*yx, scores=None):
    return ScoredCoordinates.from_arrays(yx, scores)


def test_micrographs_keep_order_shape_and_ctf(tmp_path):
    micrographs = _micrographs(tmp_path)
    ctfs = _ctfs(tmp_path, micrographs, {"m2.mrc": 15000.0})
    read = micrographs_from_set(micrographs, ctfs=ctfs)
    assert [m.name for m in read] == list(NAMES)
    assert read[0].shape == (20, 30)
    assert read[0].sampling_rate == 2.0
    assert read[0].ctf is None
    ctf = read[1].ctf
    assert (ctf.defocus_u_A, ctf.defocus_v_A) == (15000, 14000)
    assert (ctf.defocus_angle_deg, ctf.phase_shift_deg) == (30, 90)
    assert (ctf.voltage_kV, ctf.spherical_aberration_mm) == (300, 2.7)
    assert ctf.amplitude_contrast == 0.1


def test_micrographs_of_one_name_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"m1\.mrc 2 times"):
        micrographs_from_set(_micrographs(tmp_path, ("m1.mrc", "m1.mrc")))


def test_ctfs_of_other_names_are_matched(tmp_path):
    picked = _micrographs(tmp_path)
    weighted = _micrographs(tmp_path / "dw", ("m1_DW.mrc", "m3_DW.mrc"), rate=4.0)
    ctfs = _ctfs(tmp_path, picked, {"m1.mrc": 11000.0, "m3.mrc": 13000.0})
    defocus = [m.ctf.defocus_u_A for m in micrographs_from_set(weighted, ctfs=ctfs)]
    assert defocus == [11000, 13000]


def test_boxes_are_cut_from_counterparts_under_the_names_of_the_picks(tmp_path):
    picked = _micrographs(tmp_path)
    binned = _micrographs(
        tmp_path / "binned", ("m3_DW.mrc", "m1_DW.mrc"), rate=4.0, first_id=1
    )
    ctfs = _ctfs(tmp_path, picked, {"m1.mrc": 11000.0, "m2.mrc": 12000.0})
    cut = BoxFrame(_coordinates(tmp_path, picked, box=11), binned, ctfs)
    assert (cut.scale, cut.box_size) == (0.5, 6)  # even, since it is new
    read = {m.name: m for m in cut.read_micrographs()}
    assert {name: m.path.name for name, m in read.items()} == {
        "m1.mrc": "m1_DW.mrc",
        "m3.mrc": "m3_DW.mrc",
    }
    assert {m.sampling_rate for m in read.values()} == {4.0}
    assert (read["m1.mrc"].ctf.defocus_u_A, read["m3.mrc"].ctf) == (11000, None)
    assert [*cut.read_ctfs()] == ["m1.mrc"]
    same = BoxFrame(_coordinates(tmp_path, picked, name="same", box=11), picked)
    assert (same.scale, same.box_size, same.read_ctfs()) == (1.0, 11, {})


def test_a_scaled_item_keeps_the_exact_position_there_and_back(tmp_path):
    micrographs = _micrographs(tmp_path)
    item = _coordinates(
        tmp_path, micrographs, {"m1.mrc": _at((7.4, 5.5))}
    ).getFirstItem()
    there = scaled_item(item, 0.5)
    assert there.getPosition() == (3, 4)
    assert (there.getMicName(), there.getObjId()) == ("m1.mrc", item.getObjId())
    assert scaled_item(there, 2.0).getPosition() == item.getPosition() == (6, 7)
    foreign = Coordinate(x=5, y=7)
    assert scaled_item(scaled_item(foreign, 0.5), 2.0).getPosition() == (5, 7)


def test_positions_are_rounded_for_scipion_and_kept_exactly(tmp_path):
    micrographs = _micrographs(tmp_path)
    found = {"m2.mrc": _at((3.5, 20.25), (-0.6, 7), scores=[0.5, np.nan])}
    items = _coordinates(tmp_path, micrographs, found)
    whole = [item.getPosition() for item in items.iterItems()]
    assert whole == [(20, 4), (7, -1)]
    read = coordinates_from_set(items, micrographs=micrographs)
    np.testing.assert_array_equal(read["m2.mrc"].yx, found["m2.mrc"].yx)
    np.testing.assert_array_equal(read["m2.mrc"].scores, [0.5, np.nan])
    assert set(read) == set(NAMES)  # a set that does not say: all were observed
    assert not len(read["m1.mrc"])


def test_a_coordinate_that_was_moved_since_is_believed(tmp_path):
    micrographs = _micrographs(tmp_path)
    items = _coordinates(tmp_path, micrographs, {"m1.mrc": _at((3.4, 5.2))})
    moved = _coordinates(tmp_path, micrographs, name="moved")
    for item in items.iterItems():
        item.shiftX(10)
        moved.append(item.clone())
    moved.write()
    read = coordinates_from_set(moved, micrographs=micrographs)
    np.testing.assert_array_equal(read["m1.mrc"].yx, [[3.4, 15]])


def test_another_sampling_rate_other_names_and_other_ids(tmp_path):
    micrographs = _micrographs(tmp_path)
    binned = _micrographs(
        tmp_path / "binned", ("m3_DW.mrc", "m1_DW.mrc"), rate=4.0, first_id=1
    )
    found = {"m1_DW.mrc": _at((4.25, 6), scores=[7]), "m3_DW.mrc": _at((1, 2))}
    items = _coordinates(tmp_path, binned, found)
    picks = picks_from_set(items, picker="p", micrographs=micrographs)
    assert (picks.picker, picks.box_size) == ("p", 20)
    assert set(picks.coordinates) == {"m1.mrc", "m3.mrc"}  # m2 was not observed
    np.testing.assert_array_equal(picks.coordinates["m1.mrc"].yx, [[8.5, 12]])
    np.testing.assert_array_equal(picks.coordinates["m3.mrc"].yx, [[2, 4]])
    back = picks_from_set(
        _coordinates(
            tmp_path, micrographs, {"m1.mrc": _at((8.5, 12))}, name="back", box=20
        ),
        picker="p",
        micrographs=binned,
    )
    assert back.box_size == 10
    np.testing.assert_array_equal(back.coordinates["m1_DW.mrc"].yx, [[4.25, 6]])


def test_coordinates_elsewhere_are_left_out(tmp_path, caplog):
    micrographs = _micrographs(tmp_path)
    more = _micrographs(tmp_path / "more", (*NAMES, "m4.mrc"))
    found = {"m4.mrc": _at((1, 1), (2, 2)), "m1.mrc": _at((3, 3))}
    items = _coordinates(tmp_path, more, found)
    read = coordinates_from_set(items, micrographs=micrographs)
    assert {name: len(picks) for name, picks in read.items()} == {
        **dict.fromkeys(NAMES, 0),
        "m1.mrc": 1,
    }
    assert "2 coordinates on other micrographs are left out" in caplog.text
    pairs = [
        (item.getPosition(), name)
        for item, name in items_with_micrograph(items, micrographs=micrographs)
    ]
    assert pairs == [((3, 3), "m1.mrc")]


def test_sets_without_a_micrograph_in_common_are_refused(tmp_path):
    micrographs = _micrographs(tmp_path)
    other = _micrographs(tmp_path / "other", ("x7.mrc",))
    items = _coordinates(tmp_path, other, {"x7.mrc": _at((1, 1))})
    with pytest.raises(NameMatchError, match=r"such as m1\.mrc.*received x7\.mrc"):
        picks_from_set(items, picker="p", micrographs=micrographs)


def test_a_set_that_lost_its_micrographs_is_refused(tmp_path):
    items = SetOfCoordinates(filename=str(tmp_path / "lost.sqlite"))
    with pytest.raises(ValueError, match="know their micrographs"):
        candidates_from_set(items)
    with pytest.raises(ValueError, match="know their micrographs"):
        picks_from_set(items, picker="p", micrographs=_micrographs(tmp_path))


def test_an_unknown_micrograph_cannot_be_written(tmp_path):
    with pytest.raises(ValueError, match=r"received x\.mrc"):
        _coordinates(tmp_path, _micrographs(tmp_path), {"x.mrc": _at((1, 1))})


@pytest.mark.parametrize(
    ("attributes", "own", "best"),
    [
        ({}, np.nan, np.nan),
        ({"_cryoloScore": 0.3}, 0.3, 0.3),
        ({PICKER_SCORE_ATTRIBUTE: 5.0, SCORE_ATTRIBUTE: 0.9}, 5.0, 0.9),
    ],
)
def test_which_score_is_read(tmp_path, attributes, own, best):
    micrographs = _micrographs(tmp_path)
    items = _coordinates(tmp_path, micrographs)
    item = Coordinate(x=3, y=4)
    item.setMicId(1)  # other plugins may set the id only
    for name, value in attributes.items():
        setattr(item, name, Float(value))
    items.append(item)
    items.write()
    picks = picks_from_set(items, picker="p", micrographs=micrographs)
    scored = coordinates_from_set(items, micrographs=micrographs)
    np.testing.assert_array_equal(picks.coordinates["m1.mrc"].yx, [[4, 3]])
    np.testing.assert_array_equal(picks.coordinates["m1.mrc"].scores, [own])
    np.testing.assert_array_equal(scored["m1.mrc"].scores, [best])


def test_who_looked_where_survives_the_set(tmp_path, caplog):
    micrographs = _micrographs(tmp_path)
    items = _coordinates(tmp_path, micrographs)
    assert read_observed(items) is None
    known = PickerCoverage(["a"], {"m1.mrc": ["a"], "m3.mrc": ["a"]})
    write_observed(items, tmp_path / "observed.json", known)
    append_coordinates(items, micrographs, {"m1.mrc": _at((3, 3))})
    items.write()
    items.close()
    again = SetOfCoordinates(filename=str(tmp_path / "coordinates.sqlite"))
    again.setMicrographs(micrographs)
    assert read_observed(again) == known
    picks = picks_from_set(again, picker="a", micrographs=micrographs)
    assert set(picks.coordinates) == {"m1.mrc", "m3.mrc"}
    assert "observed.json" not in caplog.text
    (tmp_path / "observed.json").unlink()
    assert read_observed(again) is None
    assert "observed.json: it should tell which micrographs" in caplog.text


def _candidates():
    first = PickerPicks(
        "a", 10, {"m1.mrc": _at((5, 5), (9, 25.5), scores=[0.1, 2]), "m3.mrc": _at()}
    )
    second = PickerPicks("b", 10, {"m1.mrc": _at((5.5, 5.5)), "m2.mrc": _at((4, 4))})
    return find_consensus([first, second], consensus_radius_px=1, merge_radius_px=3)


def _assert_same(read, written):
    assert read.micrographs == written.micrographs
    assert read.pickers == written.pickers
    for field in ("observed", "micrograph_index", "found", "agreement"):
        np.testing.assert_array_equal(getattr(read, field), getattr(written, field))
    for field in ("yx", "picker_scores", "agreed_yx", "area_distance_px"):
        np.testing.assert_array_equal(getattr(read, field), getattr(written, field))


def test_candidates_come_back_as_they_were(tmp_path):
    micrographs, written = _micrographs(tmp_path), _candidates()
    items = _coordinates(tmp_path, micrographs)
    append_candidates(items, micrographs, written)
    write_observed(items, tmp_path / "observed.json", observed_in(written))
    items.write()
    read, order = candidates_and_items(items)
    _assert_same(read, written)
    np.testing.assert_array_equal(order, [0, 1, 2])


def test_distances_to_unusable_area_and_the_masks_survive_the_set(tmp_path):
    micrographs, written = _micrographs(tmp_path), _candidates()
    distance = np.array([-np.inf, np.inf, -3.25])
    written = replace(written, area_distance_px=distance)
    items = _coordinates(tmp_path, micrographs)
    append_candidates(items, micrographs, written)
    known = observed_in(written, masks=tmp_path / "masks")
    write_observed(items, tmp_path / "observed.json", known)
    items.write()
    read, _ = candidates_and_items(items)
    np.testing.assert_array_equal(read.area_distance_px, distance)
    assert masks_of(items) == tmp_path / "masks"
    places = places_of_items(items, micrographs, box_size=10)
    np.testing.assert_array_equal(places.area_distance_px, distance)


def test_a_part_of_the_candidates_in_another_order(tmp_path):
    """Without the file, a micrograph without items was observed by nobody."""
    micrographs, written = _micrographs(tmp_path), _candidates()
    items = _coordinates(tmp_path, micrographs)
    append_candidates(items, micrographs, written)
    items.write()
    part = _coordinates(tmp_path, micrographs, name="part")
    for number in (3, 1):
        item = items[number].clone()
        item.setObjId(None)
        part.append(item)
    part.write()
    read, order = candidates_and_items(part)
    np.testing.assert_array_equal(order, [1, 0])
    np.testing.assert_array_equal(read.yx, written.yx[[0, 2]])
    assert read.pickers == ("a", "b")
    np.testing.assert_array_equal(
        read.observed, [[True, True], [False, True], [False, False]]
    )


def test_agreed_candidates_lie_on_the_agreed_centre(tmp_path):
    micrographs, written = _micrographs(tmp_path), _candidates()
    items = _coordinates(tmp_path, micrographs)
    agreed = written.take(written.is_agreed(2))
    append_candidates(items, micrographs, agreed, at_agreed_centre=True)
    items.write()
    read = coordinates_from_set(items, micrographs=micrographs)
    np.testing.assert_array_equal(read["m1.mrc"].yx, agreed.agreed_yx)


def test_foreign_candidates_are_of_one_unknown_picker(tmp_path):
    micrographs = _micrographs(tmp_path)
    found = {"m2.mrc": _at((3, 3), scores=[4]), "m1.mrc": _at((1, 1))}
    read = candidates_from_set(_coordinates(tmp_path, micrographs, found))
    assert read.pickers == ("unknown",)
    assert read.micrographs == NAMES
    assert read.observed.all()
    np.testing.assert_array_equal(read.yx, [[1, 1], [3, 3]])
    np.testing.assert_array_equal(read.picker_scores, [[np.nan], [4]])
    assert read.agreement.tolist() == [1, 1]
    assert len(read.agreed(1)["m2.mrc"]) == 1


def test_candidates_elsewhere_are_left_out_and_counted(tmp_path, caplog):
    """By the name, or else by the id, as in `coordinates_from_set`."""
    micrographs = _micrographs(tmp_path)
    items = _coordinates(tmp_path, micrographs)
    places = (("m2.mrc", 2), ("x.mrc", 9), ("x.mrc", 3), (None, 8), (None, 1))
    for number, (name, own_id) in enumerate(places):
        item = Coordinate(x=number, y=number)
        item.setMicId(own_id)
        item.setMicName(name)
        items.append(item)
    items.write()
    read, positions = candidates_and_items(items)
    assert read.micrographs == NAMES
    np.testing.assert_array_equal(positions, [4, 0, 2])
    np.testing.assert_array_equal(read.yx, [[4, 4], [0, 0], [2, 2]])
    np.testing.assert_array_equal(read.micrograph_index, [0, 1, 2])
    assert "2 candidates are left out" in caplog.text


def test_no_candidates_at_all(tmp_path):
    read = candidates_from_set(_coordinates(tmp_path, _micrographs(tmp_path), {}))
    assert (len(read), read.micrographs) == (0, NAMES)


def test_the_separator_in_a_name_is_refused(tmp_path):
    micrographs = _micrographs(tmp_path)
    picks = PickerPicks("a;b", 10, {"m1.mrc": _at((5, 5))})
    table = find_consensus([picks], consensus_radius_px=1, merge_radius_px=3)
    with pytest.raises(ValueError, match="';' in the name 'a;b'"):
        append_candidates(_coordinates(tmp_path, micrographs), micrographs, table)


def test_a_candidate_that_is_read_takes_two_hundred_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(set_columns, "_BLOCK", 500)
    rng, n = np.random.default_rng(0), 20_000
    micrographs = _micrographs(tmp_path)
    candidates = _random_candidates(rng, n)
    items = _coordinates(tmp_path, micrographs)
    append_candidates(items, micrographs, candidates)
    items.write()
    tracemalloc.start()
    found = candidates_from_set(items)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200 * n + 2**20
    for name in ("yx", "found", "picker_scores", "agreement", "micrograph_index"):
        np.testing.assert_array_equal(getattr(found, name), getattr(candidates, name))


def _random_candidates(rng, n):
    found = rng.random((n, 3)) < 0.6
    found[:, 0] |= ~found.any(axis=1)
    return Candidates(
        micrographs=NAMES,
        pickers=("a", "b", "c"),
        observed=np.ones((3, 3), dtype=bool),
        micrograph_index=np.sort(rng.integers(0, 3, n)),
        yx=rng.uniform(0, 4000, (n, 2)),
        found=found,
        picker_scores=np.where(found, rng.normal(size=(n, 3)), np.nan),
        agreement=rng.integers(1, 4, n),
        agreed_yx=rng.uniform(0, 4000, (n, 2)),
        area_distance_px=rng.uniform(-9, 9, n),
    )
