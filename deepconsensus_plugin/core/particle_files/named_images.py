# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that rows of a STAR name, ``NUMBER@STACK``, and the files that they are in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.stacks import read_stack_header
from deepconsensus_plugin.core.pick_files.relion_star import find_listed
from deepconsensus_plugin.core.pick_files.star_blocks import Block
from deepconsensus_plugin.core.types import IntArray

IMAGE_COLUMN = "rlnImageName"


def named_images(table: Block) -> tuple[tuple[Path, ...], IntArray, IntArray]:
    """Return the stacks, and the stack and the number in it of every row.

    Raises
    ------
    FileFormatError
        If a row names no image, or a stack is not there.
    """
    known: dict[str, int] = {}
    stacks: list[Path] = []
    stack, index = np.empty((2, len(table)), dtype=np.intp)
    for row, name in enumerate(table.columns[IMAGE_COLUMN]):
        number, at, file = name.partition("@")
        if not at or not number.isdecimal() or not int(number):
            raise table.bad_row(row, expected=f"NUMBER@STACK for _{IMAGE_COLUMN}")
        if file not in known:
            found = find_listed(table.path, file)
            if found is None:
                raise FileFormatError(
                    table.path,
                    expected="the stacks that it names, here or in a folder above",
                    received=f"no file {file}",
                )
            known[file] = len(stacks)
            stacks.append(found)
        stack[row], index[row] = known[file], int(number)
    return tuple(stacks), stack, index


def check_stacks(
    table: Block, stacks: Sequence[Path], stack: IntArray, index: IntArray
) -> tuple[int, float | None]:
    """Return the side of the images and their Å/px, by the first stack.

    Raises
    ------
    FileFormatError
        If a stack has fewer images than are named, or images of another size.
    """
    headers = [read_stack_header(path) for path in stacks]
    sizes = sorted({side for _, side, _ in headers})
    if len(sizes) > 1:
        raise FileFormatError(
            table.path,
            expected="images of one size",
            received=f"of {', '.join(map(str, sizes))} px; split the file",
        )
    n_images = np.array([n for n, _, _ in headers])
    beyond = np.flatnonzero(index > n_images[stack])
    if len(beyond):
        row = int(beyond[0])
        raise table.bad_row(
            row, expected=f"an image of the {n_images[stack[row]]} in the stack"
        )
    return sizes[0], headers[0][2]
