# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs that were cut, lie in their headers, or would unpack to too much."""

from __future__ import annotations

import bz2
import gzip
import struct
import zlib

import mrcfile
import numpy as np
import pytest
import tifffile

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.micrographs import open_micrograph, read_header
from deepconsensus_plugin.core.io.untrusted import MOST_UNPACKED

IMAGE = np.random.default_rng(0).normal(100, 9, (24, 32))
CODECS = ("lzw", "zlib", "packbits", "lzma", "zstd")
WIDTH, LENGTH, BITS, COMPRESSION, OFFSETS = 256, 257, 258, 259, 273
ROWS, COUNTS, TILE_WIDTH, TILE_OFFSETS = 278, 279, 322, 324


def write_tiff(path, kind="u1", **options):
    """Write a TIFF, and return its bytes."""
    tifffile.imwrite(path, IMAGE.astype(kind), **options)
    return path.read_bytes()


def change_tag(path, tag, value, index=0):
    """Write another value of a tag into a file."""
    with tifffile.TiffFile(path) as tiff:
        found = tiff.pages[0].tags[tag]
        kind = {3: "H", 4: "I", 16: "Q"}[int(found.dtype)]
        at = found.valueoffset + index * struct.calcsize(kind)
    content = bytearray(path.read_bytes())
    struct.pack_into(f"<{kind}", content, at, value)
    path.write_bytes(content)


def refuse(path, match):
    with pytest.raises(FileFormatError, match=match):
        np.asarray(open_micrograph(path))


@pytest.mark.parametrize("kind", ["u1", "i2", "f4"])
@pytest.mark.parametrize("options", [{}, {"rowsperstrip": 5}, {"tile": (16, 16)}])
@pytest.mark.parametrize("codec", [None, *CODECS])
def test_a_tiff_that_lost_bytes_never_gives_other_pixels(
    tmp_path, kind, options, codec
):
    path = tmp_path / "a.tif"
    content = write_tiff(path, kind, compression=codec, **options)
    np.testing.assert_array_equal(open_micrograph(path), IMAGE.astype(kind))
    rng = np.random.default_rng(1)
    for start in rng.integers(8, len(content), 12).tolist():
        for n in (1, 7, len(content)):
            path.write_bytes(content[:start] + content[start + n :])
            with pytest.raises(FileFormatError):
                np.asarray(open_micrograph(path))


@pytest.mark.parametrize("codec", ["lzw", "packbits"])
def test_a_piece_without_its_end_is_refused(tmp_path, codec):
    path = tmp_path / "a.tif"
    write_tiff(path, compression=codec)
    with tifffile.TiffFile(path) as tiff:
        count = tiff.pages[0].databytecounts[0]
    change_tag(path, COUNTS, count // 2)
    refuse(path, "in piece 0 of the TIFF")


def test_a_last_strip_may_be_filled_up(tmp_path):
    path = tmp_path / "a.tif"
    write_tiff(path, compression="zlib", rowsperstrip=24)
    change_tag(path, LENGTH, 20)
    change_tag(path, ROWS, 24)
    refuse(path, "pixels in piece 0 of the TIFF")  # here a strip has 20 rows
    rows = [zlib.compress(IMAGE[i : i + 8].astype("u1").tobytes()) for i in (0, 8, 16)]
    with tifffile.TiffWriter(path) as writer:
        writer.write(
            iter(rows), shape=(20, 32), dtype="u1", compression="zlib", rowsperstrip=8
        )
    np.testing.assert_array_equal(open_micrograph(path), IMAGE[:20].astype("u1"))


@pytest.mark.parametrize(
    ("tag", "value", "match"),
    [
        (LENGTH, 60_000, "strips or tiles|pixels within"),
        (WIDTH, 0, "rows and columns"),
        (LENGTH, 0, "rows and columns"),
        (WIDTH, 31, "pixels in piece 0"),
        (OFFSETS, 2**31, "a truncated file"),
        (COUNTS, 2**31, "a truncated file"),
        (COUNTS, 0, "a truncated file"),
        (COMPRESSION, 7, "LZW, deflate, PackBits"),
    ],
)
def test_a_tiff_with_a_tag_that_cannot_be(tmp_path, tag, value, match):
    path = tmp_path / "a.tif"
    write_tiff(path, compression="zlib", rowsperstrip=24)
    change_tag(path, tag, value)
    refuse(path, match)


def test_a_tile_that_is_not_there_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    write_tiff(path, tile=(16, 16))
    change_tag(path, TILE_OFFSETS, 0, index=2)
    refuse(path, "a truncated file")


def test_a_small_tiff_does_not_unpack_to_too_much(tmp_path):
    path = tmp_path / "a.tif"
    packed = zlib.compress(bytes(64 * 60_000))
    with tifffile.TiffWriter(path) as writer:
        pieces = iter([packed] * 938)
        writer.write(
            pieces, shape=(60_000, 60_000), dtype="u1", compression="zlib",
            rowsperstrip=64,
        )  # fmt: skip
    refuse(path, f"at most {MOST_UNPACKED} bytes of pixels")
    with pytest.raises(FileFormatError, match="at most"):
        read_header(path)


@pytest.mark.parametrize("module", [gzip, bz2])
class TestCompressedMrc:
    """MRC files in gzip and bzip2."""

    def content(self, tmp_path):
        path = tmp_path / "plain.mrc"
        mrcfile.write(path, IMAGE.astype("f4"))
        return bytearray(path.read_bytes())

    def test_more_than_the_header_tells_is_not_unpacked(self, tmp_path, module):
        path, content = tmp_path / "a.mrc.gz", self.content(tmp_path)
        path.write_bytes(module.compress(content + bytes(2**20)))
        np.testing.assert_array_equal(open_micrograph(path), IMAGE.astype("f4"))
        path.write_bytes(module.compress(content + bytes(2**25)))
        refuse(path, "bytes after the image, received more")

    def test_a_header_that_tells_too_much(self, tmp_path, module):
        path, content = tmp_path / "a.mrc.gz", self.content(tmp_path)
        struct.pack_into("<2i", content, 0, 40_000, 40_000)
        path.write_bytes(module.compress(content))
        refuse(path, f"at most {MOST_UNPACKED} bytes in a compressed MRC")
        with pytest.raises(FileFormatError, match="at most"):
            read_header(path)

    def test_an_image_that_ends_early(self, tmp_path, module):
        path, content = tmp_path / "a.mrc.gz", self.content(tmp_path)
        path.write_bytes(module.compress(content[:-1]))
        refuse(path, "a truncated file")
