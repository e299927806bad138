# SPDX-License-Identifier: GPL-3.0-or-later
"""MRC stacks of reduced boxes and of averages, for programs that read particles."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mrcfile

from deepconsensus_plugin.core.averages.parameters import SIZE
from deepconsensus_plugin.core.averages.polar import Float32Array
from deepconsensus_plugin.core.averages.table import AveragesTable
from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.preprocessing import fourier_resize


@contextmanager
def new_stack(
    path: Path | None, n_boxes: int, pixel_size_A: float
) -> Iterator[Float32Array | None]:
    """Yield the pixels of a new stack, shape (n, SIZE, SIZE), to fill; None for none.

    Parameters
    ----------
    path : Path, optional
        The file, which is there when everything is filled.
    n_boxes : int
        Number of boxes, n.
    pixel_size_A : float
        Of the boxes.
    """
    if path is None:
        yield None
        return
    with (
        whole_file(path) as partial,
        mrcfile.new_mmap(
            partial, (n_boxes, SIZE, SIZE), mrc_mode=2, overwrite=True
        ) as stack,
    ):
        stack.set_image_stack()
        stack.voxel_size = pixel_size_A
        yield stack.data
        stack.update_header_stats()


def write_resized(path: Path, table: AveragesTable, pixel_size_A: float) -> None:
    """Write the averages with pixels of nearly another size, as particles have them.

    Parameters
    ----------
    path : Path
        MRC stack; its side is even, so that the centre stays in the middle.
    table : AveragesTable
        Averages, k.
    pixel_size_A : float
        Pixel size of the particles.
    """
    side = 2 * round(table.extent_A / pixel_size_A / 2)
    images = fourier_resize(table.images, side)
    with whole_file(path) as partial, mrcfile.new(partial, overwrite=True) as stack:
        stack.set_data(images)
        stack.set_image_stack()
        stack.voxel_size = table.extent_A / side
