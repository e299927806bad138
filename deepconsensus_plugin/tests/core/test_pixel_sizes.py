# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixel sizes from headers, given or missing."""

from __future__ import annotations

import gzip

import mrcfile
import numpy as np
import pytest
import tifffile

from deepconsensus_plugin.core.io.micrographs import read_header
from deepconsensus_plugin.core.io.pixel_sizes import find_pixel_size


def _mrc(path, rate):
    with mrcfile.new(path, np.zeros((5, 7), np.float32), overwrite=True) as file:
        file.voxel_size = rate
    return path


@pytest.mark.parametrize("rate", [0.6485, 3.54])
def test_mrc_tells_its_pixel_size(tmp_path, rate):
    path = _mrc(tmp_path / "a.mrc", rate)
    assert read_header(path).pixel_size_A == pytest.approx(rate, rel=1e-5)
    packed = tmp_path / "a.mrc.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_header(packed) == read_header(path)
    assert read_header(path).shape == (5, 7)


def test_a_header_without_a_pixel_size_has_none(tmp_path):
    assert read_header(_mrc(tmp_path / "a.mrc", 0)).pixel_size_A is None


@pytest.mark.parametrize(
    ("unit", "resolution", "expected"),
    [("CENTIMETER", 1e8 / 1.25, 1.25), ("INCH", 72, None), ("NONE", 1, None)],
)
def test_tiff_tells_a_microscopes_resolution_only(tmp_path, unit, resolution, expected):
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path,
        np.zeros((5, 7), np.float32),
        resolution=(resolution, resolution),
        resolutionunit=unit,
    )
    header = read_header(path)
    assert header.shape == (5, 7)
    assert header.pixel_size_A == (expected and pytest.approx(expected, rel=1e-4))


def test_headers_that_agree_give_the_pixel_size():
    found = find_pixel_size({"a.mrc": 2.5, "b.mrc": 2.51})
    assert found.value_A == 2.5
    said = ("Pixel size: 2.5 Å/px, from the header of 2 micrographs.",)
    assert found.remarks == said


def test_a_pixel_size_of_one_is_doubted():
    (_, doubt) = find_pixel_size({"a.mrc": 1.0}).remarks
    assert doubt.startswith("WARNING: some programs write")


def test_without_any_the_file_is_named():
    with pytest.raises(ValueError, match=r"b\.mrc: the header has no pixel size.*none"):
        find_pixel_size({"a.mrc": 2.5, "b.mrc": None})


def test_headers_that_disagree_are_not_chosen_between():
    with pytest.raises(ValueError, match=r"1 Å/px in a\.mrc, 2 in b\.mrc"):
        find_pixel_size({"a.mrc": 1.0, "b.mrc": 2.0})


def test_what_is_given_counts_and_a_difference_is_said():
    assert find_pixel_size({"a.mrc": 2.5, "b.mrc": None}, 2.52).remarks == ()
    found = find_pixel_size({"a.mrc": 2.5, "b.mrc": 1.0}, 2.5)
    assert found.value_A == 2.5
    (said,) = found.remarks
    assert said.startswith("WARNING: the pixel size was given as 2.5 Å/px, but 1 of 2")
    assert "1 Å/px in b.mrc" in said
