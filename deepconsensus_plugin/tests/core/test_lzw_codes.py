# SPDX-License-Identifier: GPL-3.0-or-later
"""LZW codes of TIFF: how much they stand for, beside a slow decoder in plain Python."""

from __future__ import annotations

import random
import time
import tracemalloc

import imagecodecs
import numpy as np
import pytest
import tifffile

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.lzw_codes import count_lzw
from deepconsensus_plugin.core.io.micrographs import open_micrograph

CLEAR, END, FIRST = 256, 257, 258
FULL = 3830
MANY = 10**12


def width(n_strings: int) -> int:
    """Return the bits of the next code, early as TIFF has it."""
    return 9 + sum(n_strings >= limit for limit in (511, 1023, 2047))


def packed(codes: list[int]) -> bytes:
    """Return codes as TIFF packs them."""
    bits, table, is_first = [], FIRST, True
    for code in codes:
        bits.append(f"{code:0{width(table)}b}")
        if code == CLEAR:
            table, is_first = FIRST, True
        elif is_first:
            is_first = False
        else:
            table += 1
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")


def unpacked(content: bytes) -> bytes:
    """Return what codes stand for; ValueError where a string is not known."""
    bits = f"{int.from_bytes(content, 'big'):0{8 * len(content)}b}"
    first = [bytes([i]) for i in range(256)] + [b"", b""]
    out, table, before, at = bytearray(), [*first], None, 0
    while at + width(len(table)) <= len(bits):
        bits_of = width(len(table))
        code, at = int(bits[at : at + bits_of], 2), at + bits_of
        if code == END:
            break
        if code == CLEAR:
            table, before = [*first], None
            continue
        if before is not None:
            start = (table[code] if code < len(table) else before)[:1]
            table.append(before + start)
        if code >= len(table):
            raise ValueError(code)
        before = table[code]
        out += before
    return bytes(out)


SWELLING = [CLEAR, 0, *range(FIRST, FIRST + FULL)]
"""Codes of which each stands for one byte more than the one before."""


def test_codes_that_swell_are_counted():
    assert unpacked(packed([CLEAR, 7, FIRST, FIRST + 1, END])) == b"\x07" * 6
    assert count_lzw(packed(SWELLING), MANY) == (FULL + 1) * (FULL + 2) // 2


@pytest.mark.parametrize("seed", range(3))
def test_damaged_codes_are_refused_or_unpack_to_what_was_counted(seed):
    rng, noise = random.Random(seed), np.random.default_rng(seed)
    n_refused = n_read = 0
    for _ in range(60):
        pixels = noise.normal(100, 3, rng.randrange(50, 3000)).astype("u1")
        if rng.random() < 0.5:
            pixels = (np.arange(rng.randrange(50, 6000)) // 50).astype("u1")
        codes = bytearray(imagecodecs.lzw_encode(pixels.tobytes()))
        for _ in range(rng.randrange(3)):
            codes[rng.randrange(2, len(codes))] ^= 1 << rng.randrange(8)
        codes = bytes(codes[: rng.choice((len(codes), rng.randrange(9, len(codes))))])
        try:
            expected = unpacked(codes)
        except ValueError:
            n_refused += 1
            with pytest.raises(ValueError, match="LZW"):
                count_lzw(codes, MANY)
        else:
            n_read += 1
            assert count_lzw(codes, MANY) == len(expected)
            # The reader lets it read on to whole codes.
            found = imagecodecs.lzw_decode(codes + bytes(3))
            assert found[: len(expected)] == expected
    assert n_refused > 5
    assert n_read > 5


@pytest.mark.parametrize(
    "codes",
    [
        b"",
        b"\x00\x01" + bytes(60),  # the order of bits of before TIFF 6.0
        packed([CLEAR, FIRST]),
        packed([CLEAR, 1, FIRST + 1]),
        packed([CLEAR, *[0] * 4500]),  # a table that is never emptied
        packed([CLEAR, 0] * 5000),
    ],
)
def test_codes_that_no_encoder_writes_are_refused(codes):
    with pytest.raises(ValueError, match="LZW"):
        count_lzw(codes, MANY)


def test_a_tiff_that_would_unpack_to_gigabytes_is_refused_quickly(tmp_path):
    bomb = packed(SWELLING * 8) * 50  # whole bytes
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(
            iter([bomb]), shape=(1100, 1000), dtype="u1", compression="lzw",
            rowsperstrip=1100,
        )  # fmt: skip
    assert len(bomb) * 1300 > 2 * 2**30
    tracemalloc.start()
    began = time.process_time()
    with pytest.raises(FileFormatError, match="or more bytes for 1100000 of pixels"):
        open_micrograph(path)
    took, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 1
    assert peak < 5e7
