# SPDX-License-Identifier: GPL-3.0-or-later
import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.micrographs import open_micrograph, read_header
from deepconsensus_plugin.core.usable_area.area import UsableArea
from deepconsensus_plugin.core.usable_area.files import (
    area_path,
    read_area,
    read_outlines,
    write_area,
)
from deepconsensus_plugin.core.usable_area.kinds import AreaKind


def make_area(*, binning=4, shape_px=(38, 50)):
    """Return a mask with a padded band of three columns on the left and one of ice."""
    kinds = np.zeros([-(-length // binning) for length in shape_px], np.uint8)
    kinds[:, :3] = AreaKind.PADDING
    kinds[4, 8] = AreaKind.ICE
    return UsableArea(kinds, binning, shape_px)


def enclosed(line):
    """Return the area inside a closed line of points yx."""
    (y, x), (next_y, next_x) = line[:-1].T, line[1:].T
    return abs(np.sum(y * next_x - next_y * x)) / 2


def test_kinds_have_labels_for_legends():
    assert AreaKind(4) is AreaKind.CARBON
    assert [kind.label for kind in AreaKind][:3] == ["usable", "padding", "no signal"]


def test_a_pixel_of_the_mask_covers_whole_pixels_of_the_micrograph():
    yx = np.array([[0, 11.4], [0, 11.6], [16, 32], [19.4, 35.4], [19.6, 35], [90, -9]])

    assert make_area().kind_at(yx).tolist() == [1, 0, 5, 5, 0, 1]


def test_distances_are_signed_and_in_pixels_of_the_micrograph():
    area = make_area()
    columns = np.array([1.5, 9.5, 13.5, 17.5, 49])

    distances = area.distance_px(np.stack([np.zeros(5), columns], 1))

    assert distances[:4].tolist() == [-10, -2, 2, 6]
    assert distances[4] == pytest.approx(4 * (np.hypot(4, 4) - 0.5))


def test_the_sign_of_the_distance_agrees_with_the_kind():
    rng = np.random.default_rng(1)
    area = make_area()
    yx = rng.uniform(-5, 55, (500, 2))

    np.testing.assert_array_equal(area.distance_px(yx) < 0, area.kind_at(yx) > 0)


@pytest.mark.parametrize(("kind", "distance"), [(0, np.inf), (2, -np.inf)])
def test_without_an_edge_distances_are_infinite(kind, distance):
    area = UsableArea(np.full((3, 3), kind, np.uint8), 2, (6, 5))

    assert area.distance_px(np.array([[1.0, 1.0]])).tolist() == [distance]
    assert area.share_unusable == (kind > 0)


def test_outlines_enclose_the_unusable_area():
    area = make_area()

    band, crystal = sorted(area.outlines(), key=enclosed, reverse=True)

    assert band[0].tolist() == band[-1].tolist()
    assert band.min(axis=0).tolist() == [-0.5, -0.5]
    assert band.max(axis=0).tolist() == [37.5, 11.5]
    assert enclosed(band) == pytest.approx(38 * 12, rel=0.1)
    assert crystal.mean(axis=0) == pytest.approx([17.5, 33.5], abs=0.6)


def test_outlines_of_a_disc_are_as_long_as_its_circle():
    y, x = np.mgrid[:100, :100]
    hole = np.hypot(y - 50, x - 50) < 10
    disc = (np.hypot(y - 50, x - 50) < 40) & ~hole
    outer, inner = UsableArea(disc.astype(np.uint8), 1, (100, 100)).outlines()

    length = np.hypot(*np.diff(outer, axis=0).T).sum()
    assert length == pytest.approx(2 * np.pi * 40, rel=0.07)
    assert enclosed(outer) - enclosed(inner) == pytest.approx(disc.sum(), rel=0.01)


def test_pixels_that_touch_at_a_corner_are_traced():
    lines = UsableArea(np.eye(3, dtype=np.uint8), 1, (3, 3)).outlines()

    assert all((line[0] == line[-1]).all() for line in lines)
    assert UsableArea(np.zeros((3, 3), np.uint8), 1, (3, 3)).outlines() == []


def test_files_keep_a_mask_and_scipion_reads_them(tmp_path):
    area = make_area()
    path = area_path(tmp_path, "folder/a.mrc")

    write_area(path, area, 1.77)
    found = read_area(path)

    assert path == tmp_path / "a.mrc.mask.mrc"
    np.testing.assert_array_equal(found.kinds, area.kinds)
    assert (found.binning, found.shape_px) == (4, (38, 50))
    assert open_micrograph(path).dtype == np.int8
    assert read_header(path).pixel_size_A == pytest.approx(7.08)
    assert mrcfile.validate(path)


def test_files_of_the_same_mask_are_equal(tmp_path):
    for name in "ab":
        write_area(tmp_path / name, make_area(), 2.0)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_another_image_is_no_mask(tmp_path):
    path = tmp_path / "a.mrc"
    with mrcfile.new(path) as file:
        file.set_data(np.zeros((4, 4), np.int8))

    with pytest.raises(FileFormatError, match=r"a\.mrc: expected a mask"):
        read_area(path)


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        (np.zeros((3, 4), np.uint8), r"expected shape \(4, 4\), received \(3, 4\)"),
        (np.full((4, 4), 9, np.uint8), "expected uint8 of 0 - 5, received uint8 up"),
        (np.zeros((4, 4), np.float32), "received float32"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(kinds, message):
    with pytest.raises(ValueError, match=message):
        UsableArea(kinds, 2, (8, 7))


def test_outlines_are_those_of_the_mask_if_there_is_one(tmp_path):
    write_area(area_path(tmp_path, "a.mrc"), make_area(), 2.0)

    shape = (38, 50)
    first, *_ = make_area().outlines()
    found, *_ = read_outlines(tmp_path, "a.mrc", shape)
    binned, *_ = read_outlines(tmp_path, "a.mrc", (19, 25))
    np.testing.assert_array_equal(found, first)
    np.testing.assert_array_equal(binned, first / 2)
    assert read_outlines(tmp_path, "b.mrc", shape) == []
    assert read_outlines(None, "a.mrc", shape) == []
