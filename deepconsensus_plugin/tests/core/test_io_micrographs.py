# SPDX-License-Identifier: GPL-3.0-or-later
import bz2
import gzip
import os
from pathlib import Path

import mrcfile
import numpy as np
import pytest
import tifffile

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.micrographs import (
    open_micrograph,
    read_shape,
)

IMAGE = np.arange(5 * 7).reshape(5, 7) % 100


def write_mrc(path, image, *, dtype=np.float32, compression=None):
    with mrcfile.new(path, compression=compression, overwrite=True) as mrc:
        mrc.set_data(np.asarray(image, dtype))
    return path


def edit(path, offset, content):
    raw = bytearray(path.read_bytes())
    raw[offset : offset + len(content)] = content
    path.write_bytes(raw)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "f2", "f4"])
def test_every_real_mode_is_mapped(tmp_path, dtype):
    path = write_mrc(tmp_path / "a.mrc", IMAGE, dtype=dtype)
    image = open_micrograph(path)
    assert isinstance(image, np.memmap)
    np.testing.assert_array_equal(image, IMAGE)
    assert image.dtype == {"u1": np.dtype("u2")}.get(dtype, np.dtype(dtype))
    assert read_shape(path) == (5, 7)


@pytest.mark.parametrize("stamp", [b"\x11\x11", b"\x44\x44"])
@pytest.mark.parametrize("dtype", ["i1", "i2", "u2", "f2", "f4"])
def test_big_endian_even_where_the_stamp_is_wrong(tmp_path, stamp, dtype):
    path = write_mrc(tmp_path / "a.mrc", IMAGE, dtype=dtype)
    with mrcfile.open(path) as mrc:
        header = mrc.header.astype(mrc.header.dtype.newbyteorder(">"))
        path.write_bytes(header.tobytes() + mrc.data.astype(f">{dtype}").tobytes())
    edit(path, 212, stamp)
    assert read_shape(path) == (5, 7)
    np.testing.assert_array_equal(open_micrograph(path), IMAGE)


def test_bytes_that_imod_marks_as_unsigned(tmp_path):
    path = write_mrc(tmp_path / "a.mrc", IMAGE, dtype="i1")
    edit(path, 1024, b"\xff")
    assert open_micrograph(path)[0, 0] == -1
    edit(path, 152, np.array([1146047817, 0], "<i4").tobytes())
    assert open_micrograph(path)[0, 0] == 255
    edit(path, 156, np.array([1], "<i4").tobytes())
    assert open_micrograph(path)[0, 0] == -1


@pytest.mark.parametrize(
    ("smallest", "largest", "dtype"), [(0, 255, "u1"), (-128, 127, "i1"), (0, -1, "i1")]
)
def test_bytes_whose_range_tells_the_sign(tmp_path, smallest, largest, dtype):
    path = write_mrc(tmp_path / "a.mrc", IMAGE, dtype="i1")
    edit(path, 76, np.array([smallest, largest], "<f4").tobytes())
    assert open_micrograph(path).dtype == dtype


def test_one_slice_in_three_dimensions_and_an_extended_header(tmp_path):
    path = tmp_path / "a.mrc"
    with mrcfile.new(path) as mrc:
        mrc.set_data(IMAGE[None].astype("f4"))
        mrc.set_extended_header(np.zeros(160, "V1"))
    np.testing.assert_array_equal(open_micrograph(path), IMAGE)


@pytest.mark.parametrize("compression", ["gzip", "bzip2"])
def test_compressed(tmp_path, compression):
    path = write_mrc(tmp_path / "a", IMAGE, dtype="i2", compression=compression)
    np.testing.assert_array_equal(open_micrograph(path), IMAGE)
    assert read_shape(path) == (5, 7)


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress])
def test_a_compressed_file_that_ends_too_early(tmp_path, compress):
    noise = np.random.default_rng(0).normal(size=(64, 64))
    raw = compress(write_mrc(tmp_path / "a.mrc", noise).read_bytes())
    (tmp_path / "b").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(FileFormatError, match="complete gzip or bzip2"):
        open_micrograph(tmp_path / "b")


@pytest.mark.parametrize("open_", [open_micrograph, read_shape])
def test_truncated_image(tmp_path, open_):
    path = write_mrc(tmp_path / "a.mrc", IMAGE)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileFormatError, match=r"a.mrc: .*1164 bytes.*1163 bytes"):
        open_(path)


def test_bytes_after_the_image_do_not_matter(tmp_path):
    path = write_mrc(tmp_path / "a.mrc", IMAGE)
    path.write_bytes(path.read_bytes() + b"more")
    np.testing.assert_array_equal(open_micrograph(path), IMAGE)


def test_without_the_stamp_the_size_must_fit(tmp_path):
    path = write_mrc(tmp_path / "a.mrc", IMAGE)
    edit(path, 208, b"\0\0\0\0")
    np.testing.assert_array_equal(open_micrograph(path), IMAGE)
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(FileFormatError, match="stamp 'MAP'"):
        open_micrograph(path)


@pytest.mark.parametrize("open_", [open_micrograph, read_shape])
def test_stacks_are_refused(tmp_path, open_):
    path = write_mrc(tmp_path / "a.mrcs", np.zeros((3, 5, 7)))
    with pytest.raises(FileFormatError, match="3 slices"):
        open_(path)
    stack = np.zeros((3, 5, 7), "f4")
    tifffile.imwrite(tmp_path / "a.tif", stack, photometric="minisblack")
    with pytest.raises(FileFormatError, match="3 pages"):
        open_(tmp_path / "a.tif")


def test_complex_pixels_are_refused(tmp_path):
    path = write_mrc(tmp_path / "a.mrc", IMAGE, dtype="c8")
    with pytest.raises(FileFormatError, match="mode 4"):
        open_micrograph(path)


@pytest.mark.parametrize("content", [b"", b"short", b"no image at all\n" * 100])
def test_other_content(tmp_path, content):
    (tmp_path / "a.mrc").write_bytes(content)
    with pytest.raises(FileFormatError, match="MRC"):
        open_micrograph(tmp_path / "a.mrc")


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_micrograph(tmp_path / "none.mrc")


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "f4"])
def test_plain_tiff_is_mapped(tmp_path, dtype, byteorder):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, IMAGE.astype(dtype), byteorder=byteorder)
    image = open_micrograph(path)
    assert isinstance(image, np.memmap)
    np.testing.assert_array_equal(image, IMAGE)
    assert read_shape(path) == (5, 7)


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "zlib"},
        {"compression": "zlib", "predictor": 2},
        {"compression": "lzma"},
        {"tile": (16, 16)},
    ],
)
def test_tiff_in_pieces_or_compressed_is_read(tmp_path, options):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, IMAGE.astype("u2"), **options)
    image = open_micrograph(path)
    assert not isinstance(image, np.memmap)
    np.testing.assert_array_equal(image, IMAGE)


@pytest.mark.parametrize("options", [{"bigtiff": True}, {"rowsperstrip": 2}])
def test_tiff_in_one_run_of_bytes_is_mapped(tmp_path, options):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, IMAGE.astype("f4"), **options)
    image = open_micrograph(path)
    assert isinstance(image, np.memmap)
    np.testing.assert_array_equal(image, IMAGE)


def test_tiff_with_lzw_as_microscope_software_writes_it(tmp_path):
    pytest.importorskip("imagecodecs")
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, IMAGE.astype("u2"), compression="lzw")
    np.testing.assert_array_equal(open_micrograph(path), IMAGE)


def test_tiff_with_a_compression_that_nobody_knows(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, IMAGE.astype("u2"))
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tiff.pages[0].tags["Compression"].overwrite(32809)  # ThunderScan's
    with pytest.raises(FileFormatError, match=r"a\.tif: .*THUNDERSCAN"):
        open_micrograph(path)


def test_a_thumbnail_beside_the_image_is_left_out(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(IMAGE.astype("u2"))
        writer.write(IMAGE[::2, ::2].astype("u2"), subfiletype=1)
    np.testing.assert_array_equal(open_micrograph(path), IMAGE)


def test_a_stack_that_describes_its_first_image_only(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, IMAGE.astype("u2"), imagej=True)
    np.testing.assert_array_equal(open_micrograph(path), IMAGE)
    tifffile.imwrite(
        path, IMAGE.astype("u2"), description="ImageJ=1.53\nimages=3\n", metadata=None
    )
    with pytest.raises(FileFormatError, match="3 pages"):
        open_micrograph(path)


def test_bad_tiff(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((5, 7, 3), "u1"), photometric="rgb")
    with pytest.raises(FileFormatError, match="greyscale"):
        open_micrograph(path)
    path.write_bytes(b"II*\0" + b"\xff" * 40)
    with pytest.raises(FileFormatError, match="0 pages"):
        open_micrograph(path)


def test_real_micrographs_are_mapped():
    folder = os.environ.get("DEEPCONSENSUS_DATA")
    if not folder:
        pytest.skip("DEEPCONSENSUS_DATA names no folder with the real micrographs")
    paths = sorted(Path(folder).glob("*/micrographs/*.mrc"))
    shapes = {read_shape(path) for path in paths}
    assert len(paths) == 21
    assert shapes == {(2048, 2048), (1200, 1240)}
    assert all(isinstance(open_micrograph(path), np.memmap) for path in paths)
