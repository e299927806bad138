# SPDX-License-Identifier: GPL-3.0-or-later
"""View of a micrograph: the outlines of its mask, and none where there is no mask."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from deepconsensus_plugin.core.usable_area.area import UsableArea
from deepconsensus_plugin.core.usable_area.files import area_path, write_area
from deepconsensus_plugin.viewers.micrograph_view import (
    MicrographPicture,
    MicrographView,
)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two micrographs, the first of which has a mask with a padded top."""
    for name in ("a.mrc", "b.mrc"):
        mrcfile.write(tmp_path / name, np.zeros((60, 80), np.float32))
    kinds = np.zeros((15, 20), np.uint8)
    kinds[:5] = 1
    write_area(area_path(tmp_path, "a.mrc"), UsableArea(kinds, 4, (60, 80)), 2.0)
    return tmp_path


def read(folder: Path, name: str) -> MicrographPicture:
    return MicrographPicture.read(name, folder / name, 2.0, masks=folder)


def drawn(view: MicrographView, kind: type[Artist]) -> list:
    return [each for each in view.axes.get_children() if isinstance(each, kind)]


def test_a_micrograph_with_a_mask_is_outlined_and_the_next_one_is_not(folder):
    canvas = FigureCanvasAgg(Figure((5, 4)))
    view = MicrographView(canvas.figure, box_size=10)
    for _ in range(2):  # the second time instead of the first
        view.set_picture(read(folder, "a.mrc"))
        canvas.draw()
        (path,) = drawn(view, LineCollection)[0].get_paths()
        assert path.vertices.max(axis=0).tolist() == [79.5, 19.5]  # x, y
        assert len(drawn(view, LineCollection)) == len(drawn(view, Legend)) == 1

    view.set_picture(read(folder, "b.mrc"))
    assert drawn(view, LineCollection) == drawn(view, Legend) == []


def test_without_a_folder_of_masks_nothing_is_outlined(folder):
    assert MicrographPicture.read("a.mrc", folder / "a.mrc", 2.0).outlines == []
