# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks: made once, resumed, and what becomes of candidates on unusable area."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import h5py
import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.execution import Here, Progress
from deepconsensus_plugin.core.io.scores import EnsembleScores, write_scores
from deepconsensus_plugin.core.io.tables import (
    read_candidates,
    read_coordinates,
    write_candidates,
)
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.core.pipeline import network_finding, network_pick
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
from deepconsensus_plugin.core.pipeline.mask import MaskRequest, are_made, run
from deepconsensus_plugin.core.pipeline.network_pick_requests import NetworkPickRequest
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import Micrograph, PickerPicks, ScoredCoordinates
from deepconsensus_plugin.core.usable_area.files import area_path, read_area, write_area
from deepconsensus_plugin.core.usable_area.kinds import AreaKind
from deepconsensus_plugin.core.workflow.candidate_finding import find_candidates
from deepconsensus_plugin.core.workflow.chain import select_scored
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.core.workflow.fusing import fuse_scored
from deepconsensus_plugin.core.workflow.stages import draw_negatives

SHAPE, BOX, RATE = (320, 480), 30, 2.0
PAD_TO, CARBON_FROM = 60, 380
ON_PADDING, ON_CARBON, ON_ICE_FREE = [150.0, 30.0], [150.0, 440.0], [150.0, 220.0]


def image(seed: int) -> np.ndarray:
    """Return noise with padding on the left and something dark on the right."""
    pixels = np.random.default_rng(seed).normal(0, 1, SHAPE).astype(np.float32)
    pixels[:, :PAD_TO] = pixels[:, PAD_TO : PAD_TO + 1]
    pixels[:, CARBON_FROM:] -= 12
    return pixels


def write_set(folder: Path, n: int = 3) -> tuple[Micrograph, ...]:
    micrographs = []
    for number in range(n):
        path = folder / f"m{number}.mrc"
        mrcfile.write(path, image(number))
        micrographs.append(Micrograph(path.name, path, SHAPE, RATE))
    return tuple(micrographs)


@pytest.fixture
def micrographs(tmp_path):
    return write_set(tmp_path)


def request_for(micrographs, folder: Path, **others) -> MaskRequest:
    return MaskRequest(tuple(micrographs), folder / "masks", 40.0, **others)


# -------------------------- the job --------------------------
def test_masks_of_inverted_micrographs_are_those_of_the_others(tmp_path, micrographs):
    inverted = []
    for each in micrographs:
        path = tmp_path / "inverted" / each.name
        path.parent.mkdir(exist_ok=True)
        mrcfile.write(path, -mrcfile.read(each.path))
        inverted.append(replace(each, path=path))
    plain = request_for(micrographs, tmp_path)
    other = request_for(inverted, tmp_path / "other", are_particles_dark=False)
    run(plain, Progress())
    run(other, Progress())
    for one, another in zip(micrographs, inverted, strict=True):
        np.testing.assert_array_equal(
            read_area(plain.path_of(one)).kinds, read_area(other.path_of(another)).kinds
        )
    assert are_made(other)
    assert not are_made(replace(other, are_particles_dark=True))


def test_every_micrograph_gets_a_mask_whatever_the_number_of_threads(
    tmp_path, micrographs
):
    one = run(request_for(micrographs, tmp_path / "1", workers=1), Progress())
    three = run(request_for(micrographs, tmp_path / "3", workers=3), Progress())
    assert (one.n_made, one.bad_micrographs) == (3, [])
    assert one.share_unusable == three.share_unusable
    for each in micrographs:
        a, b = (area_path(tmp_path / n / "masks", each.name) for n in "13")
        assert a.read_bytes() == b.read_bytes()
        area = read_area(a)
        found = area.kind_at(np.array([ON_PADDING, ON_CARBON, ON_ICE_FREE]))
        assert found.tolist() == [
            *(AreaKind.PADDING, AreaKind.CONTAMINATION, AreaKind.USABLE)
        ]
        assert 0.25 < one.share_unusable[each.name] < 0.45
    with mrcfile.open(a) as file:
        assert float(file.voxel_size.x) == RATE * area.binning


def test_only_what_is_missing_or_has_changed_is_made_again(tmp_path, micrographs):
    request = request_for(micrographs, tmp_path)
    first = run(request, Progress())
    again = run(request, Progress())
    assert (first.n_made, again.n_made) == (3, 0)
    assert are_made(request) and not are_made(replace(request, diameter_A=50.0))
    assert again.share_unusable == first.share_unusable
    request.path_of(micrographs[1]).unlink()
    assert not are_made(request)
    assert run(request, Progress()).n_made == 1
    mrcfile.write(micrographs[2].path, image(9)[:, ::-1].copy(), overwrite=True)
    assert run(request, Progress()).n_made == 1
    assert run(replace(request, diameter_A=50.0), Progress()).n_made == 3
    foreign = read_area(request.path_of(micrographs[0]))
    write_area(request.path_of(micrographs[0]), foreign, RATE)
    assert run(replace(request, diameter_A=50.0), Progress()).n_made == 1


def test_a_compressed_micrograph_without_signal_is_bad(tmp_path, micrographs):
    mrcfile.write(tmp_path / "flat.mrc", np.full(SHAPE, 3, np.int16))
    path = tmp_path / "flat.mrc.gz"
    path.write_bytes(gzip.compress((tmp_path / "flat.mrc").read_bytes()))
    flat = Micrograph(path.name, path, SHAPE, RATE)
    result = run(request_for([*micrographs, flat], tmp_path), Progress())
    assert result.bad_micrographs == ["flat.mrc.gz"]
    found = combine((*micrographs, flat), tmp_path / "run")
    assert found.candidates.bad_micrographs == ("flat.mrc.gz",)


# -------------------------- the chain --------------------------
def picks_on(micrographs) -> list[PickerPicks]:
    """Return two pickers that agree everywhere."""
    rng = np.random.default_rng(0)
    inside = {
        each.name: np.concatenate(
            [
                rng.uniform((20, PAD_TO + 20), (300, CARBON_FROM - 20), (12, 2)),
                [ON_PADDING, ON_CARBON, ON_ICE_FREE],
            ]
        )
        for each in micrographs
    }
    return [
        PickerPicks(
            picker,
            BOX,
            {
                name: ScoredCoordinates.from_arrays(yx, rng.random(len(yx)))
                for name, yx in inside.items()
            },
        )
        for picker in ("one", "two")
    ]


def combine(micrographs, folder: Path):
    folder.mkdir(exist_ok=True)
    rules = ConsensusRules(min_pickers=2)
    return find_candidates(micrographs, picks_on(micrographs), rules, folder)


def rows_at(candidates, yx) -> np.ndarray:
    return np.hypot(*(candidates.yx - yx).T) < 5


def test_candidates_know_their_distance_and_keep_it(tmp_path, micrographs):
    found = combine(micrographs, tmp_path / "run").candidates
    distance = found.area_distance_px
    padded, dirty, clean = (
        rows_at(found, yx) for yx in (ON_PADDING, ON_CARBON, ON_ICE_FREE)
    )
    assert (distance[padded] == -np.inf).all() and padded.sum() == 3
    assert ((distance[dirty] < -30) & (distance[dirty] > -np.inf)).all()
    assert (distance[clean] > 50).all()
    read = read_candidates(ChainFiles(tmp_path / "run").candidates)
    np.testing.assert_array_equal(read.area_distance_px, distance)
    assert not found.is_agreed(2)[padded | dirty].any()
    assert found.is_agreed(2)[clean].all()


def test_a_table_of_an_early_version_knows_no_area(tmp_path, micrographs):
    table = combine(micrographs, tmp_path / "run").candidates
    write_candidates(tmp_path / "old.h5", table)
    with h5py.File(tmp_path / "old.h5", "r+") as file:
        del file["area_distance_px"]
    read = read_candidates(tmp_path / "old.h5")
    assert (read.area_distance_px == np.inf).all()


@pytest.mark.parametrize("avoid", [True, False])
def test_what_lies_on_them_is_not_accepted(tmp_path, micrographs, avoid):
    folder = tmp_path / "run"
    found, files = combine(micrographs, folder), ChainFiles(folder)
    n = len(found.candidates)
    np.save(files.positions, np.arange(n))
    network = np.random.default_rng(1).random((n, 1))
    write_scores(files.scores, EnsembleScores.of(network))
    fuse_scored(folder, seed=1)
    rule = AcceptanceRule(
        spacing=Spacing(over_border=True, avoid_contamination=avoid)
    ).at(0.0)
    result = select_scored(found, micrographs, folder, rule)
    reason = result.acceptance.reason
    padded, dirty, clean = (
        rows_at(found.candidates, yx) for yx in (ON_PADDING, ON_CARBON, ON_ICE_FREE)
    )
    assert (reason[padded] == Reason.AREA).all()
    assert (reason[dirty] == (Reason.AREA if avoid else Reason.ACCEPTED)).all()
    assert (reason[clean] == Reason.ACCEPTED).all()
    # The fusion looks at carbon, but not where there is nothing to look at.
    assert np.isnan(result.score[padded]).all()
    assert np.isfinite(result.score[~padded]).all()
    counted = int((reason == Reason.AREA).sum())
    assert f"; {counted} on carbon, ice or padding." in result.summary.describe()
    assert result.summary.counts["area"] == counted


def test_no_random_negative_lies_in_padding_but_some_on_carbon(tmp_path, micrographs):
    folder = tmp_path / "run"
    found = combine(micrographs, folder)
    columns = {}
    for name, masks in (("with", ChainFiles(folder).masks), ("without", None)):
        draw_negatives(
            micrographs,
            found.candidates,
            folder / name,
            box_size=BOX,
            n_positives=600,
            masks=masks,
        )
        drawn = read_coordinates(ChainFiles(folder / name).negatives)
        columns[name] = np.concatenate(
            [here.yx[here.scores == 0, 1] for here in drawn.values()]
        )
    assert (columns["without"] < PAD_TO - 5).any()
    assert columns["with"].min() > PAD_TO - 5
    assert (columns["with"] > CARBON_FROM + 20).any()


# -------------------------- networks that pick --------------------------
class FixedPicker:
    """Picker that finds the same maxima on every micrograph."""

    yx = np.array([ON_PADDING, ON_CARBON, ON_ICE_FREE])

    def prepare(self, micrograph: Micrograph) -> str:
        return micrograph.name

    def find(self, prepared: str) -> ScoredCoordinates:
        return ScoredCoordinates(self.yx, np.array([3.0, 2.0, 1.0]))


@pytest.fixture
def fixed_picker(tmp_path, monkeypatch):
    card = SimpleNamespace(box_extent_A=60.0)
    monkeypatch.setattr(network_pick, "load_card", lambda _: card)
    monkeypatch.setattr(network_finding, "load_picker", lambda *_: FixedPicker())
    model = tmp_path / "model"
    model.mkdir()
    for name in (CARD_FILE, WEIGHTS_FILE):
        (model / name).touch()
    return model


@pytest.mark.parametrize(("avoid", "n_left"), [(True, 1), (False, 2)])
def test_networks_pick_on_usable_area_only(
    tmp_path, micrographs, fixed_picker, avoid, n_left
):
    flat = tmp_path / "flat.mrc"
    mrcfile.write(flat, np.zeros(SHAPE, np.float32))
    bad = Micrograph(flat.name, flat, SHAPE, RATE)
    request = NetworkPickRequest(
        (*micrographs, bad),
        fixed_picker,
        tmp_path / "pick" / "found",
        tmp_path / "pick" / "picks.h5",
        avoid_contamination=avoid,
    )
    found = network_pick.find_all(request, Progress())
    assert [*found] == [each.name for each in request.micrographs]
    assert len(found[bad.name]) == 0
    for each in micrographs:
        here = found[each.name]
        np.testing.assert_array_equal(here.yx, FixedPicker.yx[3 - n_left :])
    # Another choice needs no other look at the micrographs.
    n_files = len([*request.found.iterdir()])
    network_pick.find_all(replace(request, avoid_contamination=not avoid), Progress())
    assert len([*request.found.iterdir()]) == n_files == len(micrographs)
    # What computes elsewhere loads the model there, and finds the same.
    other = replace(request, found=tmp_path / "elsewhere" / "found")
    again = network_pick.find_all(other, Progress(networks=Here()))
    for name, here in found.items():
        np.testing.assert_array_equal(here.yx, again[name].yx)
