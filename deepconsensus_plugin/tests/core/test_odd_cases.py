# SPDX-License-Identifier: GPL-3.0-or-later
"""Odd cases from labs: unusual boxes, micrographs and pickers, from picks to scores.

Duplicates of a picker and pickers of one name: see the tests of the consensus.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.alignment import find_misalignments
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus import choose_min_pickers, find_consensus
from deepconsensus_plugin.core.consensus.report import report_consensus
from deepconsensus_plugin.core.deep_consensus import score, train
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.requests import (
    BoxSource,
    ScoreRequest,
    StackOptions,
    TrainRequest,
)
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.scores import read_scores
from deepconsensus_plugin.core.io.tables import (
    read_coordinates,
    write_candidates,
    write_coordinates,
)
from deepconsensus_plugin.core.pipeline import negatives
from deepconsensus_plugin.core.pipeline.negatives import NegativesRequest
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.types import (
    FloatArray,
    Micrograph,
    PickerPicks,
    ScoredCoordinates,
)
from deepconsensus_plugin.tests.small_network import small_networks

SAMPLING_RATE = 2.0
EXTENT_A = 32 * SAMPLING_RATE
FAST = TrainingParameters(n_epochs=1, n_models=1, batch_size=16)


def write_micrograph(path: Path, image: np.ndarray) -> Micrograph:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mrcfile warns of NaN
        mrcfile.write(path, image.astype(np.float32))
    return Micrograph(path.name, path, image.shape, SAMPLING_RATE)


def noise_with_discs(
    shape: tuple[int, int], yx: FloatArray, radius: float, rng: np.random.Generator
) -> np.ndarray:
    """Return dark discs in noise."""
    image = rng.normal(size=shape)
    for y, x in yx:
        rows = slice(max(0, int(y - radius)), int(y + radius) + 1)
        columns = slice(max(0, int(x - radius)), int(x + radius) + 1)
        image[rows, columns] -= 2
    return image


def lattice(shape: tuple[int, int], box: int, n: int) -> FloatArray:
    """Return up to `n` centres a box and a half apart, in the left part."""
    step = 3 * box // 2
    rows = np.arange(box // 2, shape[0] - box // 2, step)
    columns = np.arange(box // 2, shape[1] - 2 * box, step)
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
    return grid.reshape(-1, 2)[:n].astype(float)


def picked(name: str, box: float, yx: Mapping[str, object]) -> PickerPicks:
    return PickerPicks(
        name, box, {n: ScoredCoordinates.from_arrays(p) for n, p in yx.items()}
    )


def agree(pickers: Sequence[PickerPicks], box: int) -> Candidates:
    return find_consensus(
        pickers, consensus_radius_px=0.1 * box, merge_radius_px=0.3 * box
    )


def draw(
    folder: Path, micrographs: Sequence[Micrograph], found: Candidates, box: int, **more
) -> negatives.NegativesResult:
    write_candidates(folder / "candidates.h5", found)
    request = NegativesRequest(
        micrographs=tuple(micrographs),
        candidates=folder / "candidates.h5",
        box_size=box,
        min_pickers=choose_min_pickers(found, min_positives=500),
        result=folder / "negatives.h5",
        **more,
    )
    return negatives.run(request, Progress())


def teach(
    folder: Path, micrographs: Sequence[Micrograph], found: Candidates, box: int
) -> train.TrainResult:
    """Train on what the pickers agree on and the negatives drawn before."""
    agreed = found.agreed(choose_min_pickers(found, min_positives=500))
    write_coordinates(folder / "positives.h5", agreed)
    request = TrainRequest(
        micrographs=tuple(micrographs),
        sources=(
            BoxSource("AND", folder / "positives.h5", is_particle=True),
            BoxSource("NEG", folder / "negatives.h5", is_particle=False),
        ),
        box_size=box,
        preprocessing=BoxPreprocessing(input_size=16),
        parameters=FAST,
        dataset=folder / "boxes.h5",
        model=folder / "model",
    )
    return train.run(request, Progress())


def scores_of(
    folder: Path,
    micrographs: Sequence[Micrograph],
    coordinates: Mapping[str, ScoredCoordinates],
    box: int,
    model: Path,
) -> np.ndarray:
    write_coordinates(folder / "scored.h5", coordinates)
    request = ScoreRequest(
        micrographs=tuple(micrographs),
        coordinates=folder / "scored.h5",
        box_size=box,
        model=model,
        scores=folder / "scores.h5",
        stacks=StackOptions(folder / "stacks"),
    )
    score.run(request, Progress())
    return read_scores(folder / "scores.h5").mean


def from_picks_to_scores(
    folder: Path, micrographs: Sequence[Micrograph], pickers: Sequence[PickerPicks]
) -> np.ndarray:
    """Return the scores of all candidates, checked to be one finite number for each."""
    box = round(pickers[0].box_size)
    found = agree(pickers, box)
    draw(folder, micrographs, found, box)
    model = teach(folder, micrographs, found, box).model
    scores = scores_of(folder, micrographs, found.coordinates(), box, model)
    assert len(scores) == len(found)
    assert ((scores >= 0) & (scores <= 1)).all()
    for stack in (folder / "stacks").iterdir():
        boxes = mrcfile.read(stack)
        assert boxes.shape[1:] == (box, box)
        assert np.isfinite(boxes).all()
    return scores


@pytest.fixture(scope="module", autouse=True)
def _small_networks():
    """How well a network learns does not matter here."""
    with small_networks():
        yield


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """Return a model of boxes of 64 Å."""
    folder = tmp_path_factory.mktemp("model")
    micrograph, yx = usual(folder)
    found = agree([picked(n, 32, {micrograph.name: yx}) for n in "ab"], 32)
    draw(folder, [micrograph], found, 32)
    return teach(folder, [micrograph], found, 32).model


def usual(folder: Path, name: str = "mic.mrc") -> tuple[Micrograph, FloatArray]:
    """Return a micrograph of 30 particles and where they are."""
    shape = (300, 500)
    yx = lattice(shape, 32, 30)
    image = noise_with_discs(shape, yx, 8, np.random.default_rng(1))
    return write_micrograph(folder / name, image), yx


# -------------------------- boxes --------------------------
@pytest.mark.parametrize("box", [32, 90, 200, 400])
def test_small_and_large_boxes_on_rectangular_micrographs(tmp_path, model, box):
    shape = (3 * box + 11, 6 * box)
    yx = lattice(shape, box, 8)
    image = noise_with_discs(shape, yx, box / 4, np.random.default_rng(box))
    micrograph = replace(  # the extent in Å is what a model is made for
        write_micrograph(tmp_path / "mic.mrc", image), sampling_rate=EXTENT_A / box
    )
    found = agree([picked(n, box, {micrograph.name: yx}) for n in "ab"], box)
    result = draw(tmp_path, [micrograph], found, box)
    assert sum(result.counts.values()) == result.n_requested == len(yx)
    scores = scores_of(tmp_path, [micrograph], found.coordinates(), box, model)
    assert np.isfinite(scores).all()
    boxes = mrcfile.read(tmp_path / "stacks" / "mic.mrcs")
    assert boxes.shape == (len(yx), box, box)
    inside = slice(box // 2 - box // 8, box // 2 + box // 8)
    assert boxes[:, inside, inside].mean() > 1  # discs, white


# -------------------------- micrographs --------------------------
def test_one_micrograph_with_forty_particles(tmp_path, caplog):
    shape = (400, 600)
    yx = lattice(shape, 32, 40)
    assert len(yx) == 40
    image = noise_with_discs(shape, yx, 8, np.random.default_rng(0))
    micrograph = write_micrograph(tmp_path / "only.mrc", image)
    here = {micrograph.name: yx}
    from_picks_to_scores(tmp_path, [micrograph], [picked(n, 32, here) for n in "ab"])
    assert "Only 40 particles to learn from" in caplog.text
    assert "Only 40 background boxes to learn from" in caplog.text


SPOILT = {
    "all NaN": lambda image: np.full_like(image, np.nan),
    "NaN in part": lambda image: np.where(np.arange(500) % 3, image, np.nan),
    "constant": lambda image: np.full_like(image, 7),
    "padded": lambda image: np.where(np.arange(300)[:, None] < 150, image, 0),
    "hot pixel": lambda image: np.where(np.arange(500) == 250, 1e9, image),
    "infinite": lambda image: np.where(np.arange(500) == 250, np.inf, image),
}


def test_spoilt_micrographs_do_not_spoil_the_others(tmp_path):
    good, yx = usual(tmp_path, "good.mrc")
    pixels = mrcfile.read(good.path)
    micrographs = [good]
    for name, spoil in SPOILT.items():
        micrographs.append(write_micrograph(tmp_path / f"{name}.mrc", spoil(pixels)))
    everywhere = {m.name: yx for m in micrographs}
    pickers = [picked(name, 32, everywhere) for name in "ab"]
    mined = draw(
        tmp_path, micrographs, agree(pickers, 32), 32, mine_hard_negatives=True
    )
    assert sum(mined.counts.values()) == mined.n_requested
    from_picks_to_scores(tmp_path, micrographs, pickers)


def test_a_micrograph_smaller_than_the_box_is_scored_but_has_no_background(
    tmp_path, model, caplog
):
    large, yx = usual(tmp_path)
    small = write_micrograph(tmp_path / "small.mrc", np.eye(20, 25))
    both = {large.name: yx, small.name: [[10, 12]]}
    found = agree([picked(name, 32, both) for name in "ab"], 32)
    result = draw(tmp_path, [large, small], found, 32)
    drawn = read_coordinates(result.coordinates)
    assert (len(drawn[large.name]), len(drawn[small.name])) == (len(found), 0)
    assert "1 of 2 micrographs are smaller than the box of 32 px" in caplog.text
    scores = scores_of(tmp_path, [large, small], found.coordinates(), 32, model)
    assert np.isfinite(scores).all()
    assert len(scores) == len(found) == len(yx) + 1


def test_only_micrographs_smaller_than_the_box(tmp_path):
    small = write_micrograph(tmp_path / "small.mrc", np.eye(20, 400))
    found = agree([picked(n, 32, {small.name: [[10, 12]]}) for n in "ab"], 32)
    with pytest.raises(
        ValueError, match="at least 32 px, the box, received 20 × 400 px"
    ):
        draw(tmp_path, [small], found, 32)


# -------------------------- picks --------------------------
def test_picks_outside_the_micrograph_are_scored(tmp_path, model):
    micrograph, _ = usual(tmp_path)
    outside = [[-5, 10], [-400, -400], [310, 250], [5000, 20], [150, 499.6]]
    here = {micrograph.name: ScoredCoordinates.from_arrays(outside)}
    scores = scores_of(tmp_path, [micrograph], here, 32, model)
    assert len(scores) == len(outside)
    assert np.isfinite(scores).all()


def test_no_candidates_at_all(tmp_path, model):
    micrograph, _ = usual(tmp_path)
    found = agree([picked(n, 32, {micrograph.name: []}) for n in "ab"], 32)
    scores = scores_of(tmp_path, [micrograph], found.coordinates(), 32, model)
    assert len(scores) == 0
    result = draw(tmp_path, [micrograph], found, 32)
    assert sum(result.counts.values()) == result.n_requested == 0
    with pytest.raises(ValueError, match="received 0 particles and 0 background"):
        teach(tmp_path, [micrograph], found, 32)


# -------------------------- pickers --------------------------
def report(pickers: Sequence[PickerPicks], found: Candidates, shape) -> list[str]:
    shapes = dict.fromkeys(found.micrographs, shape)
    return report_consensus(
        pickers,
        found,
        box_size=32,
        n_micrographs=len(found.micrographs),
        min_pickers=choose_min_pickers(found, min_positives=5),
        min_positives=5,
        misalignments=find_misalignments(pickers, shapes, box_size=32),
    ).sentences()


def test_a_picker_without_picks_is_named_and_does_not_stop_the_others():
    yx = lattice((300, 500), 32, 30)
    empty = picked("empty", 32, {"1": [], "2": []})
    partly = picked("partly", 32, {"1": yx, "2": []})
    pickers = [empty, partly, picked("whole", 32, {"1": yx, "2": yx})]
    found = agree(pickers, 32)
    assert choose_min_pickers(found, min_positives=5) == 2
    assert len(found.agreed(2)["1"]) == len(yx)
    assert "2" not in found.agreed(2) or not len(found.agreed(2)["2"])
    sentences = report(pickers, found, (300, 500))
    assert (
        "WARNING: empty has no picks; leave it out, or import them again." in sentences
    )
    assert not any("partly has no picks" in line for line in sentences)


def test_seven_pickers_of_which_one_was_not_run_everywhere():
    rng = np.random.default_rng(0)
    yx = lattice((300, 500), 32, 30)
    pickers = []
    for number in range(7):
        here = {m: yx + rng.uniform(-1, 1, yx.shape) for m in ("1", "2", "3")}
        if number == 6:
            del here["3"]
        pickers.append(picked(f"picker {number}", 32, here))
    found = agree(pickers, 32)
    assert len(found) == 3 * len(yx)
    assert choose_min_pickers(found, min_positives=3 * len(yx)) == 7
    assert sorted(set(found.votes.tolist())) == [6, 7]
    assert found.is_agreed(7).all()
    again = agree(pickers[::-1], 32)
    np.testing.assert_array_equal(again.yx, found.yx)
    sentences = report(pickers, found, (300, 500))
    assert not any("WARNING" in line for line in sentences)


def test_one_picker_with_a_given_model(tmp_path, model):
    micrograph, yx = usual(tmp_path)
    found = agree([picked("only", 32, {micrograph.name: yx})], 32)
    assert found.is_agreed(choose_min_pickers(found, min_positives=500)).all()
    scores = scores_of(tmp_path, [micrograph], found.coordinates(), 32, model)
    assert len(scores) == len(yx)


def test_boxes_of_other_sizes_make_no_difference_but_are_told():
    yx = lattice((300, 500), 32, 30)
    pickers = [picked("a", 32, {"1": yx}), picked("b", 50, {"1": yx})]
    pickers.append(replace(pickers[0], picker="c", box_size=float("nan")))
    found = agree(pickers, 32)
    assert (found.votes == 3).all()
    sentences = report(pickers, found, (300, 500))
    assert sentences[-1] == ("Box size: 32 px; those of the pickers: a 32, b 50 px.")


@pytest.fixture(autouse=True)
def _log_everything(caplog):
    caplog.set_level(logging.INFO)
