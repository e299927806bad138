# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks of boxes and averages: whole or absent, and the centre stays in the middle."""

from __future__ import annotations

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.averages.parameters import SIZE
from deepconsensus_plugin.core.averages.stacks import new_stack, write_resized
from deepconsensus_plugin.core.averages.table import AveragesTable


def a_table(images: np.ndarray) -> AveragesTable:
    """Return averages of a candidate each."""
    k = len(images)
    zero = np.zeros(k)
    return AveragesTable(
        *(np.arange(k), zero, np.zeros((k, 2)), zero, zero),
        images=images,
        resolution_A=np.full(k, np.inf),
        pixel_size_A=4.0,
        diameter_A=80.0,
    )


@pytest.mark.parametrize("pixel_size_A", [1.0, 1.7, 4.0, 5.1, 8.0])
def test_the_centre_of_a_resized_average_is_the_middle_pixel(tmp_path, pixel_size_A):
    axis = np.arange(SIZE) - SIZE // 2
    blob = np.exp(-(axis[:, None] ** 2 + axis**2) / 18).astype(np.float32)
    path = tmp_path / "averages.mrcs"

    write_resized(path, a_table(np.stack([blob, 2 * blob])), pixel_size_A)

    with mrcfile.open(path) as stack:
        assert stack.is_image_stack()
        _, n, _ = stack.data.shape
        assert n % 2 == 0 and n * stack.voxel_size.x == pytest.approx(4 * SIZE)
        assert stack.voxel_size.x == pytest.approx(pixel_size_A, rel=0.05)
        for image, height in zip(stack.data, (1, 2), strict=True):
            highest = np.unravel_index(image.argmax(), image.shape)
            assert highest == (n // 2, n // 2)
            assert image.max() == pytest.approx(height, rel=1e-3)


def test_a_stack_is_there_when_it_is_whole(tmp_path):
    path = tmp_path / "particles.mrcs"
    boxes = np.arange(3 * SIZE**2, dtype=np.float32).reshape(3, SIZE, SIZE)

    with new_stack(path, 3, 2.5) as kept:
        kept[:2], kept[2:] = boxes[:2], boxes[2:]
        assert not path.exists()

    np.testing.assert_array_equal(mrcfile.read(path), boxes)
    with pytest.raises(OSError), new_stack(path, 3, 2.5) as kept:
        raise OSError("no space left")
    np.testing.assert_array_equal(mrcfile.read(path), boxes)


def test_without_a_path_nothing_is_kept():
    with new_stack(None, 3, 2.5) as kept:
        assert kept is None
