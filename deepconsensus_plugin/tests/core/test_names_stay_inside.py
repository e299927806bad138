# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of micrographs that lead out of a folder: nothing is written outside."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.deep_consensus.requests import stack_path
from deepconsensus_plugin.core.pick_files.layouts import write_picks_folder
from deepconsensus_plugin.core.pick_files.picks import PickFormat
from deepconsensus_plugin.core.pickers.classical.parameters import PickParameters
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates
from deepconsensus_plugin.core.usable_area.files import area_path
from deepconsensus_plugin.core.workflow.sets import pick

EVIL = "../../outside.mrc"
PICKS = {EVIL: ScoredCoordinates.from_arrays([[5.0, 5.0]], [1.0])}


def _files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_masks_and_stacks_lie_in_their_folder(tmp_path):
    for path in (area_path(tmp_path, EVIL), stack_path(tmp_path, EVIL)):
        assert path.resolve().parent == tmp_path.resolve()


def test_peaks_lie_in_their_folder(tmp_path):
    path = tmp_path / "mic.mrc"
    image = np.random.default_rng(0).normal(size=(96, 128)).astype(np.float32)
    with mrcfile.new(path) as file:
        file.set_data(image)
    micrograph = Micrograph(EVIL, path, image.shape, 4.0)
    inside = tmp_path / "a" / "b"
    pick(micrograph, PickParameters(diameter_A=60), inside)
    assert all(name.startswith("a/b/") for name in _files(tmp_path) - {"mic.mrc"})
    assert len(_files(inside / "peaks")) > 0


@pytest.mark.parametrize(
    "kind", [each for each in PickFormat if each.codec.write is not None]
)
def test_exported_files_lie_in_their_folder(tmp_path, kind):
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    try:
        write_picks_folder(inside, PICKS, box_size=10, pick_format=kind)
    except ValueError as error:
        assert "leads out of it" in str(error) or "expected" in str(error)
    assert all(name.startswith("a/b/") for name in _files(tmp_path))
