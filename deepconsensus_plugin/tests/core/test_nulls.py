# SPDX-License-Identifier: GPL-3.0-or-later
"""Nulls of sets: which micrographs, what is found on them, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import mrcfile
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.pickers.classical.parameters import PickParameters
from deepconsensus_plugin.core.pipeline import (
    classical_peaks,
    mask,
    network_finding,
    network_pick,
    pick,
)
from deepconsensus_plugin.core.pipeline.network_pick_requests import NetworkPickRequest
from deepconsensus_plugin.core.pipeline.nulls import N_NULLS, choose_nulls
from deepconsensus_plugin.core.pipeline.pick import PickRequest
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

SHAPE, RATE, DIAMETER_A = (220, 260), 2.0, 24.0


def draw(seed, *, n):
    """Return noise with dark discs of the diameter."""
    rng = np.random.default_rng(seed)
    image = rng.normal(size=SHAPE)
    rows, columns = np.indices(SHAPE)
    for y, x in rng.integers(12, 200, (n, 2)):
        image[np.hypot(rows - y, columns - x) <= 6] -= 2
    return image.astype(np.float32)


def write(folder, *, n_micrographs=2, n=25):
    """Return micrographs with discs, or with nothing but noise."""
    made = []
    for number in range(n_micrographs):
        path = folder / f"m{number}.mrc"
        mrcfile.write(path, draw(number, n=n), overwrite=True)
        made.append(Micrograph(path.name, path, SHAPE, RATE))
    return tuple(made)


def peaks_of(micrographs, *empty):
    one, none = (ScoredCoordinates.from_arrays(yx) for yx in ([[3, 4]], []))
    return {each.name: none if each.name in empty else one for each in micrographs}


class TestChoice:
    def test_nulls_are_spread_over_the_micrographs(self, tmp_path):
        micrographs = [
            Micrograph(f"m{i}.mrc", tmp_path / f"m{i}.mrc", SHAPE, RATE)
            for i in range(10)
        ]

        nulls = choose_nulls(micrographs, peaks_of(micrographs))

        assert [null.micrograph.name[1] for null in nulls] == ["0", "3", "6", "9"]
        assert len({null.seed for null in nulls}) == N_NULLS

    def test_few_micrographs_have_several_nulls_each(self, tmp_path):
        first, second = (Micrograph(n, tmp_path / n, SHAPE, RATE) for n in "ab")
        both = (first, second)

        assert [null.micrograph for null in choose_nulls(both, peaks_of(both))] == [
            first,
            first,
            second,
            second,
        ]
        assert {
            null.micrograph.name for null in choose_nulls(both, peaks_of(both, "a"))
        } == {"b"}
        assert choose_nulls(both, peaks_of(both, "a", "b")) == []


@pytest.fixture
def picking(tmp_path):
    return PickRequest(
        write(tmp_path),
        PickParameters(DIAMETER_A),
        tmp_path / "peaks",
        tmp_path / "picks.h5",
    )


class TestClassical:
    def test_discs_are_evidence(self, picking):
        null = pick.run(picking, Progress()).null

        assert null.has_evidence
        assert null.scorer == "gaussians"
        assert null.n_micrographs == 2
        assert null.share_in_excess.value > 0.7

    def test_noise_is_none_and_the_shape_is_asked_too(self, picking, monkeypatch):
        write(picking.micrographs[0].path.parent, n=0)
        asked = []
        compare = classical_peaks.compare_peaks

        def listed(scorer, *others):
            asked.append(scorer)
            return compare(scorer, *others)

        monkeypatch.setattr(classical_peaks, "compare_peaks", listed)
        result = pick.run(picking, Progress())

        assert not result.null.has_evidence
        assert result.n_picks == result.n_peaks
        assert asked == ["gaussians", "correlation with a disc"]

    def test_another_threshold_finds_nothing_again(self, picking, monkeypatch):
        first = pick.run(picking, Progress()).null
        monkeypatch.delattr(classical_peaks, "pick_null")

        assert pick.run(picking, Progress()).null == first

    def test_null_gives_the_threshold_where_scores_do_not_separate(
        self, picking, monkeypatch
    ):
        monkeypatch.setattr(pick, "find_threshold", lambda scores: None)
        result = pick.run(picking, Progress())

        assert result.is_from_null
        assert not result.is_separated
        assert result.threshold == result.null.threshold_for(0.5)
        assert 0 < result.n_picks < result.n_peaks

        given = pick.run(replace(picking, threshold=1.0), Progress())
        assert (given.is_from_null, given.threshold) == (False, 1.0)


class FakePicker:
    """Picker that scores the pixels of a reduced micrograph, smoothed."""

    pixel_size_A = 4.0
    n_read = 0

    def prepare(self, micrograph):
        self.n_read += 1
        assert micrograph.sampling_rate == 4
        return -gaussian_filter(open_micrograph(micrograph.path), 2)

    def find(self, prepared):
        yx = np.argwhere(prepared > np.quantile(prepared, 0.5))[::7]
        scores = prepared[tuple(yx.T)].astype(np.float64)
        return ScoredCoordinates.from_arrays(yx, scores)


class TestNetwork:
    def test_nulls_have_the_pixels_that_the_network_sees_and_are_kept(
        self, tmp_path, monkeypatch
    ):
        model = tmp_path / "model"
        model.mkdir()
        for name in (network_pick.CARD_FILE, network_pick.WEIGHTS_FILE):
            (model / name).touch()
        micrographs = write(tmp_path)
        picker = FakePicker()
        monkeypatch.setattr(network_finding, "load_picker", lambda *_: picker)
        monkeypatch.setattr(
            network_pick, "load_card", lambda _: SimpleNamespace(kind="fake")
        )
        request = NetworkPickRequest(
            micrographs, model, tmp_path / "found", tmp_path / "picks.h5"
        )
        request.found.mkdir()
        masks = mask.MaskRequest(micrographs, request.masks, DIAMETER_A)
        mask.run(masks, Progress())
        found = {
            each.name: ScoredCoordinates.from_arrays(
                [[0, 0]] * 50, np.linspace(0, 9, 50)
            )
            for each in micrographs
        }

        first, again = (
            network_pick.compare_with_nulls(request, found, Progress())
            for _ in range(2)
        )

        assert first == again
        assert (first.scorer, first.n_micrographs) == ("fake", 2)
        assert picker.n_read == N_NULLS
        assert not list(tmp_path.glob("**/null.mrc"))
