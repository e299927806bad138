# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.pick_files.star_blocks import (
    quoted,
    read_blocks,
    split_fields,
)


def blocks_of(tmp_path, text):
    path = tmp_path / "a.star"
    path.write_text(text, newline="")
    return read_blocks(path)


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("a#1.mrc 10 20 # a comment", ["a#1.mrc", "10", "20"]),
        ("'my mic.mrc' \"it's\" 3", ["my mic.mrc", "it's", "3"]),
        ("'it's.mrc' 1", ["it's.mrc", "1"]),
        ("o'neill.mrc 1", ["o'neill.mrc", "1"]),
        ("\"\" '' x", ["", "", "x"]),
        ("# all of it", []),
    ],
)
def test_values_of_a_line(line, fields):
    assert split_fields(line) == fields


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1))
def test_any_name_is_written_so_that_it_is_read_again(name):
    name = name.strip()
    try:
        text = quoted(name)
    except ValueError as error:
        assert '"' in name and "'" in name, error
        return
    assert split_fields(f"{text}\t1") == [name, "1"]


def test_names_that_star_cannot_hold_are_refused():
    for name in ("a\"b'c d.mrc", "a\nb.mrc"):
        with pytest.raises(ValueError, match="both kinds or a line break"):
            quoted(name)


def test_loops_single_values_and_blocks_of_one_name(tmp_path):
    text = (
        "comment\ndata_one\n_a 1 # of one\n_b 'two words'\n\ndata_\r\nloop_\r\n"
        "_x #1\r\n_y #2\r\n1 data_7\r\n_2 3\r\n\r\n_z 5\r\ndata_\nloop_\n_x\n9\n"
        "data_empty\n"
    )
    one, first, single, second, empty = blocks_of(tmp_path, text)
    assert one.columns == {"a": ("1",), "b": ("two words",)}
    assert first.columns == {"x": ("1", "_2"), "y": ("data_7", "3")}
    assert list(first.lines) == [10, 11]
    assert single.columns == {"z": ("5",)}
    assert (second.name, second.columns) == ("", {"x": ("9",)})
    assert (empty.name, len(empty), empty.has("x")) == ("empty", 0, False)
    assert blocks_of(tmp_path, "") == []


def test_numbers_and_the_line_of_a_bad_one(tmp_path):
    (block,) = blocks_of(tmp_path, "data_\nloop_\n_x\n1.5\n<NA>\n")
    np.testing.assert_array_equal(block.numbers("x", allow_nan=True), [1.5, np.nan])
    with pytest.raises(FileFormatError, match=r"a\.star.*number for _x on line 5"):
        block.numbers("x")
    with pytest.raises(FileFormatError, match="1 fields, as many as columns on line 4"):
        blocks_of(tmp_path, "data_\nloop_\n_x\n1 2\n")
