# SPDX-License-Identifier: GPL-3.0-or-later
"""Contamination of simulated micrographs: its truth, and its further kinds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepconsensus_plugin.core.simulation import (
    Contamination,
    Crowd,
    Exposure,
    Phantom,
    SimulationParameters,
    Structure,
    simulate_micrograph,
)
from deepconsensus_plugin.core.simulation.ice_shapes import VARIED_CRYSTALS
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

NONE = Contamination(None, 0.0, 0.0, 0.0, 0.0, 0.0)
SMALL = SimulationParameters(
    shape=(160, 192),
    sampling_rate=12.0,
    structures=(Structure(Phantom.GLOBULE),),
    exposure=Exposure(binning=10),
    crowd=Crowd(40, overlapping_fraction=0, broken_fraction=0, aggregates=0),
    contamination=NONE,
)


def _simulate(index=0, **changes):
    contamination = replace(NONE, **changes)
    return simulate_micrograph(replace(SMALL, contamination=contamination), index)


def test_a_clean_micrograph_is_usable_everywhere():
    contamination = _simulate().contamination
    assert contamination.shape == SMALL.shape
    assert contamination.dtype == np.uint8
    assert not contamination.any()


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"carbon_probability": 1.0}, AreaKind.CARBON),
        ({"carbon_probability": 1.0, "film_variety": 1.0}, AreaKind.CARBON),
        ({"ice_crystals": 4.0}, AreaKind.ICE),
        ({"ice_crystals": 4.0, "ice_variety": 1.0}, AreaKind.ICE),
        ({"ethane_blobs": 5.0}, AreaKind.CONTAMINATION),
        ({"gold_beads": 5.0}, AreaKind.CONTAMINATION),
        ({"precipitates": 3.0}, AreaKind.CONTAMINATION),
        ({"cracks": 3.0}, AreaKind.CONTAMINATION),
        ({"vesicles": 3.0}, AreaKind.CONTAMINATION),
    ],
)
def test_each_contaminant_is_marked_with_its_kind(changes, kind):
    micrographs = [_simulate(index, **changes) for index in range(3)]
    found = {
        int(code) for each in micrographs for code in np.unique(each.contamination)
    }
    assert found == {AreaKind.USABLE, kind}


@pytest.mark.parametrize(
    "changes", [{"carbon_probability": 1.0}, {"ice_crystals": 4.0}, {"gold_beads": 9.0}]
)
def test_marked_pixels_are_darker(changes):
    for index in range(3):
        micrograph = _simulate(index, **changes)
        marked = micrograph.contamination > 0
        if marked.any():
            clear = np.median(micrograph.image[~marked])
            assert np.median(micrograph.image[marked]) < 0.97 * clear


def test_cracks_are_brighter_and_hold_no_molecules():
    micrograph = _simulate(cracks=2.0)
    cracked = micrograph.contamination > 0
    clear = np.median(micrograph.image[~cracked])
    assert np.median(micrograph.image[cracked]) > 1.05 * clear
    for each in micrograph.objects:
        assert not cracked[round(each.y), round(each.x)]


def test_a_precipitate_is_one_contaminant_of_the_truth():
    micrograph = _simulate(precipitates=3.0)
    heaps = [each for each in micrograph.objects if each.kind == "precipitate"]
    assert heaps
    marked = micrograph.contamination == AreaKind.CONTAMINATION
    assert all(marked[round(each.y), round(each.x)] for each in heaps)


@pytest.mark.parametrize("shape", VARIED_CRYSTALS)
def test_crystals_end_within_their_patch(shape):
    rng = np.random.default_rng(3)
    for _ in range(10):
        thickness, radius = shape(10.0, rng)
        assert thickness.dtype == np.float32
        assert thickness.max() > 15
        assert radius > 0
        border = np.concatenate(
            [thickness[[0, -1]].ravel(), thickness[:, [0, -1]].ravel()]
        )
        assert border.max() < 0.05 * thickness.max()
