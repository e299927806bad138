# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of a micrograph: what the eye sees, where circles lie, how long a bar."""

from __future__ import annotations

import mrcfile
import numpy as np
import pytest
from matplotlib.collections import EllipseCollection, LineCollection
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import Micrograph, PickerPicks, ScoredCoordinates
from deepconsensus_plugin.core.usable_area.area import UsableArea
from deepconsensus_plugin.core.usable_area.files import area_path, write_area
from deepconsensus_plugin.plots.low_pass import low_passed, picture_extent
from deepconsensus_plugin.plots.picture import (
    choose_micrograph,
    draw_picks,
    write_picture,
)

ACCEPTED, REJECTED = ("accepted", "#0000ff"), ("rejected", "#ff0000")


def _candidates(**yx_by_micrograph):
    picks = {
        f"{name}.mrc": ScoredCoordinates.from_arrays(yx)
        for name, yx in yx_by_micrograph.items()
    }
    only = PickerPicks("only", 20, picks)
    return find_consensus([only], consensus_radius_px=1, merge_radius_px=2)


def test_half_of_the_amplitude_is_left_at_20_angstrom():
    x = np.arange(400)
    for period_A, left in ((20, 0.5), (200, 1.0), (7, 0.0)):
        wave = np.cos(2 * np.pi * x * 2.0 / period_A)
        image = np.broadcast_to(wave, (50, 400))
        middle = low_passed(image, sampling_rate=2.0)[25, 100:300]
        assert np.abs(middle).max() == pytest.approx(left, abs=0.02)


def test_a_binned_picture_keeps_amplitude_and_place():
    x = np.arange(2401)  # binned by 3, and not a whole number of blocks
    for period_px, left in ((20, 0.5), (100, 1.0)):
        wave = np.cos(2 * np.pi * x / period_px)
        shown = low_passed(np.broadcast_to(wave, (30, 2401)), sampling_rate=1.0)
        assert np.abs(shown[5, 100:700]).max() == pytest.approx(left, abs=0.03)
    first, last, bottom, top = picture_extent((30, 2401))
    assert (bottom, top) == (29.5, -0.5)
    centres = first + (np.arange(801) + 0.5) * (last - first) / 801
    expected = np.cos(2 * np.pi * centres / 100)
    np.testing.assert_allclose(shown[5, 10:-10], expected[10:-10], atol=0.035)


def test_large_micrographs_become_small_and_stay_finite():
    image = np.full((600, 2500), 7, np.int16)
    assert low_passed(image, sampling_rate=1.0).shape == (200, 834)
    spoilt = image.astype(np.float32)
    spoilt[:100, :100] = np.nan
    np.testing.assert_allclose(low_passed(spoilt, sampling_rate=1.0), 7)
    assert (low_passed(np.full((9, 9), np.nan), sampling_rate=1.0) == 0).all()


def test_circles_lie_on_the_picks_and_the_bar_is_as_long_as_it_says():
    figure = Figure()
    picks = {ACCEPTED: np.array([[10.0, 90.0]]), REJECTED: np.empty((0, 2))}
    image = np.zeros((60, 200))
    draw_picks(figure, image, picks, sampling_rate=5.0, diameter_px=12)
    (axes,) = figure.axes
    circles, none = (c for c in axes.collections if isinstance(c, EllipseCollection))
    np.testing.assert_array_equal(circles.get_offsets(), [[90, 10]])  # x, y
    assert circles.get_edgecolor()[0].tolist() == [0, 0, 1, 1]
    assert len(none.get_offsets()) == 0
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["accepted (1)", "rejected (0)"]
    assert axes.texts[0].get_text() == "20 nm"  # a fifth of 100 nm
    (bar,) = (line for line in axes.lines if len(line.get_xdata()))
    assert np.ptp(bar.get_xdata()) * 200 * 0.5 == pytest.approx(20)  # 0.5 nm/px


def test_the_micrograph_with_most_to_tell_apart_is_shown(tmp_path):
    corners = [(10, 10), (10, 50), (50, 10), (50, 50)]
    candidates = _candidates(a=corners, b=corners, c=corners[:1])
    accepted = np.array([1, 1, 1, 0, 0, 0, 1, 1, 1], dtype=bool)
    assert choose_micrograph(candidates.micrograph_index, accepted) == 1
    micrographs = []
    for name in candidates.micrographs:
        mrcfile.write(tmp_path / name, np.zeros((60, 70), np.float32))
        micrographs.append(Micrograph(name, tmp_path / name, (60, 70), 2.0))
    path = tmp_path / "picture.png"
    reason = np.where(accepted, Reason.ACCEPTED, Reason.BORDER)
    write_picture(path, micrographs, candidates, reason, box_size=20)
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("n", [0, 1])
def test_the_unusable_area_is_outlined_where_there_is_a_mask(n):
    outline = np.array([[10.0, 20], [10, 40], [30, 40], [10, 20]])
    figure = Figure()

    draw_picks(
        figure,
        np.zeros((60, 200)),
        {ACCEPTED: np.empty((0, 2))},
        sampling_rate=5.0,
        diameter_px=12,
        outlines=[outline] * n,
    )

    (axes,) = figure.axes
    lines = [each for each in axes.collections if isinstance(each, LineCollection)]
    legends = [each for each in axes.get_children() if isinstance(each, Legend)]
    texts = [text.get_text() for each in legends for text in each.get_texts()]
    assert sorted(texts) == ["accepted (0)", "carbon, ice or padding"][: n + 1]
    drawn = [path.vertices.tolist() for each in lines for path in each.get_paths()]
    assert drawn == [outline[:, ::-1].tolist()] * n  # x, y


def test_a_picture_has_the_outlines_of_its_mask(tmp_path):
    candidates = _candidates(a=[(30, 30)])
    mrcfile.write(tmp_path / "a.mrc", np.zeros((60, 70), np.float32))
    kinds = np.zeros((30, 35), np.uint8)
    kinds[:9] = 1
    write_area(area_path(tmp_path, "a.mrc"), UsableArea(kinds, 2, (60, 70)), 2.0)
    folders = {"plain": None, "none": tmp_path / "none", "own": tmp_path}
    pictures = {}
    for name, masks in folders.items():
        path = tmp_path / f"{name}.png"
        write_picture(
            path,
            [Micrograph("a.mrc", tmp_path / "a.mrc", (60, 70), 2.0)],
            candidates,
            np.array([Reason.ACCEPTED]),
            box_size=20,
            masks=masks,
        )
        pictures[name] = path.read_bytes()
    assert pictures["plain"] == pictures["none"] != pictures["own"]
