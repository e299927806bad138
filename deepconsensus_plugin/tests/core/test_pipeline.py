# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs from micrographs and coordinates to scores, on small images."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.deep_consensus import (
    batch_scorer,
    ensemble,
    score,
    train,
)
from deepconsensus_plugin.core.deep_consensus.datasets import read_boxes
from deepconsensus_plugin.core.deep_consensus.held_out import (
    held_out_path,
    read_held_out,
)
from deepconsensus_plugin.core.deep_consensus.labelled import collect_coordinates
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.pruning import prune_labels
from deepconsensus_plugin.core.deep_consensus.requests import (
    BoxSource,
    Role,
    ScoreRequest,
    StackOptions,
    TrainRequest,
)
from deepconsensus_plugin.core.deep_consensus.store import load_networks
from deepconsensus_plugin.core.deep_consensus.training import MemberTrainer
from deepconsensus_plugin.core.errors import IncompatibleModelError
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.scores import read_scores
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.jobs import (
    read_device,
    read_result,
    result_path,
    run_job,
    write_job,
)
from deepconsensus_plugin.core.methods import load_card
from deepconsensus_plugin.core.metrics.classification import classification_metrics
from deepconsensus_plugin.core.networks.forms import Form, Forms
from deepconsensus_plugin.core.pickers.classical.parameters import PickParameters
from deepconsensus_plugin.core.pipeline import pick
from deepconsensus_plugin.core.pipeline.pick import PickRequest, PickResult
from deepconsensus_plugin.core.preprocessing import (
    BoxPreprocessing,
    background_ring,
    normalise_background,
)
from deepconsensus_plugin.core.types import Ctf, Micrograph, ScoredCoordinates
from deepconsensus_plugin.tests.small_network import small_networks

pytestmark = pytest.mark.slow

BOX = 20
SHAPE = (160, 240)


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> tuple[tuple[Micrograph, ...], Path]:
    """Four micrographs of dark discs on noise, and coordinate files beside them."""
    folder = tmp_path_factory.mktemp("scene")
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(20, 150, 30), np.arange(20, 230, 30)), -1)
    grid = grid.reshape(-1, 2).astype(float)
    rows, cols = np.indices(SHAPE)
    micrographs, discs, empty = [], {}, {}
    for i in range(4):
        image = rng.normal(size=SHAPE)
        order = rng.permutation(len(grid))
        for y, x in grid[order[:15]]:
            image[np.hypot(rows - y, cols - x) < 6] -= 2
        name = f"mic {i}.mrc"
        with mrcfile.new(folder / name) as file:
            file.set_data(image.astype(np.float32))
        micrographs.append(Micrograph(name, folder / name, SHAPE, 4.0))
        discs[name] = ScoredCoordinates.from_arrays(grid[order[:15]])
        empty[name] = ScoredCoordinates.from_arrays(grid[order[15:30]])
    write_coordinates(folder / "discs.h5", discs)
    write_coordinates(folder / "empty.h5", empty)
    return tuple(micrographs), folder


@pytest.fixture(scope="module")
def request_to_train(scene, tmp_path_factory) -> TrainRequest:
    micrographs, folder = scene
    out = tmp_path_factory.mktemp("train")
    return TrainRequest(
        micrographs=micrographs,
        sources=(
            BoxSource("AND", folder / "discs.h5", is_particle=True),
            BoxSource("NEG", folder / "empty.h5", is_particle=False),
            BoxSource("ice", folder / "empty.h5", False, weight=0.5),
            BoxSource("test", folder / "discs.h5", True, role=Role.TESTING),
            BoxSource("test", folder / "empty.h5", False, role=Role.TESTING),
        ),
        box_size=BOX,
        preprocessing=BoxPreprocessing(input_size=16),
        parameters=TrainingParameters(
            n_epochs=6, batch_size=16, learning_rate=3e-3, n_models=2
        ),
        dataset=out / "boxes.h5",
        model=out / "model",
    )


@pytest.fixture(scope="module", autouse=True)
def small():
    """Stand-ins for the published network, whose graphs take seconds to make."""
    with small_networks():
        yield


@pytest.fixture(scope="module")
def trained(request_to_train):
    return train.run(request_to_train, Progress())


def _score(scene, model: Path, out: Path, **changes) -> ScoreRequest:
    micrographs, folder = scene
    return ScoreRequest(
        micrographs=micrographs,
        coordinates=changes.pop("coordinates", folder / "discs.h5"),
        box_size=BOX,
        model=model,
        scores=out / "scores.h5",
        **changes,
    )


def test_half_precision_learns_the_same_and_is_saved_plain(request_to_train, tmp_path):
    parameters = replace(
        request_to_train.parameters, n_models=1, n_epochs=3, half_precision=True
    )
    request = replace(
        request_to_train,
        parameters=parameters,
        dataset=tmp_path / "boxes.h5",
        model=tmp_path / "model",
    )
    assert train.run(request, Progress()).testing.roc_auc > 0.95
    (network,) = load_networks(request.model)
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    assert {array.dtype for array in network.get_weights()} == {np.dtype("float32")}


def test_wrong_labels_are_left_out_unless_all_are_to_be_believed(
    scene, request_to_train, tmp_path
):
    """A third of the background is particles, on every micrograph."""
    _, folder = scene
    discs, empty = (read_coordinates(folder / f"{n}.h5") for n in ("discs", "empty"))
    mixed = {
        name: ScoredCoordinates.from_arrays(
            np.concatenate([empty[name].yx[:10], discs[name].yx[:5]])
        )
        for name in empty
    }
    good = {
        name: ScoredCoordinates.from_arrays(here.yx[5:]) for name, here in discs.items()
    }
    write_coordinates(tmp_path / "good.h5", good)
    write_coordinates(tmp_path / "mixed.h5", mixed)
    request = replace(
        request_to_train,
        sources=(
            BoxSource("AND", tmp_path / "good.h5", is_particle=True),
            BoxSource("NEG", tmp_path / "mixed.h5", is_particle=False),
        ),
        parameters=replace(request_to_train.parameters, n_epochs=1, n_models=1),
        dataset=tmp_path / "boxes.h5",
        model=tmp_path / "model",
    )
    n_good, n_mixed = (sum(map(len, marks.values())) for marks in (good, mixed))

    pruned = train.run(request, Progress())
    noise = load_card(request.model).label_noise
    assert pruned.n_positives == n_good
    assert pruned.n_negatives == pytest.approx(n_mixed * 2 / 3, rel=0.05)
    assert noise.n_background == n_mixed - pruned.n_negatives
    assert noise.wrong_background == pytest.approx(1 / 3, abs=0.05)

    chosen = tuple(replace(source, believed=True) for source in request.sources)
    stand = train.run(replace(request, sources=chosen), Progress())
    assert stand.n_negatives == n_mixed

    believing = replace(request.parameters, prune_labels=False)
    plain = train.run(replace(request, parameters=believing), Progress())
    assert (plain.n_positives, plain.n_negatives) == (n_good, n_mixed)
    assert load_card(request.model).label_noise is None


def test_where_few_labels_look_wrong_all_are_believed(request_to_train, trained):
    data = read_boxes(request_to_train.dataset)

    same, noise = prune_labels(data, skip_pruning=[False] * 3, seed=1)

    assert same is data
    assert max(noise.wrong_particles, noise.wrong_background) < 0.05
    assert (noise.n_particles, noise.n_background) == (0, 0)


def test_training_writes_boxes_model_and_figures(request_to_train, trained):
    card = load_card(trained.model)
    assert (trained.n_positives, trained.n_negatives) == (60, 120)
    assert [(s.name, s.n_boxes, s.weight) for s in card.training_sets] == [
        ("AND", 60, 1.0),
        ("NEG", 60, 1.0),
        ("ice", 60, 0.5),
    ]
    assert [s.n_boxes for s in card.testing_sets] == [60, 60]
    assert len(card.validation) == card.n_models == 2
    assert trained.testing == card.testing
    assert trained.testing.roc_auc > 0.95
    boxes = read_boxes(request_to_train.dataset)
    assert boxes.boxes.shape == (180, 16, 16)
    assert set(trained.timings) >= {"cut boxes", "train"}


def test_what_networks_say_of_held_out_boxes_is_kept(request_to_train, trained):
    held_out = read_held_out(held_out_path(trained.model))
    for column, figures in enumerate(trained.validation):
        scores = held_out.scores[:, column]
        known = ~np.isnan(scores)
        labels = held_out.rows.is_particle[known]
        assert classification_metrics(labels, scores[known]) == figures
    assert len(held_out.rows) < 180
    discs = read_coordinates(request_to_train.sources[0].coordinates)
    row = int(np.flatnonzero(held_out.rows.is_particle)[0])
    where = held_out.rows.micrographs[held_out.rows.micrograph[row]]
    assert held_out.rows.yx[row].tolist() in discs[where].yx.tolist()


def test_discs_score_higher_than_background(scene, trained, tmp_path):
    _, folder = scene
    score.run(_score(scene, trained.model, tmp_path), Progress())
    discs = read_scores(tmp_path / "scores.h5")
    request = _score(scene, trained.model, tmp_path, coordinates=folder / "empty.h5")
    result = score.run(request, Progress())
    empty = read_scores(tmp_path / "scores.h5")
    assert result.n_scored == len(empty.mean) == 60
    assert discs.mean.mean() > empty.mean.mean() + 0.5
    assert (discs.spread >= 0).all()


def test_stacks_hold_white_normalised_boxes_of_the_original_size(
    scene, trained, tmp_path
):
    micrographs, folder = scene
    request = _score(
        scene, trained.model, tmp_path, stacks=StackOptions(tmp_path / "stacks")
    )
    score.run(request, Progress())
    assert len(list((tmp_path / "stacks").iterdir())) == 4
    with mrcfile.open(tmp_path / "stacks" / "mic 2.mrcs") as stack:
        assert stack.data.shape == (15, BOX, BOX)
        assert stack.is_image_stack()
        assert stack.voxel_size.x == pytest.approx(4.0)
        boxes = stack.data.copy()
    ring = boxes[:, background_ring(BOX)]
    np.testing.assert_allclose(ring.mean(axis=1), 0, atol=1e-4)
    assert boxes[:, 8:12, 8:12].mean() > 1
    yx = read_coordinates(folder / "discs.h5")["mic 2.mrc"].yx
    raw = extract_boxes(mrcfile.read(micrographs[2].path), yx, BOX)
    expected = normalise_background(raw, invert=True)
    np.testing.assert_allclose(boxes, expected, atol=1e-5)


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("invert", [True, False])
def test_stacks_are_inverted_and_normalised_as_asked(
    scene, trained, tmp_path, normalise, invert
):
    micrographs, folder = scene
    options = StackOptions(tmp_path / "stacks", normalise=normalise, invert=invert)
    score.run(_score(scene, trained.model, tmp_path, stacks=options), Progress())
    written = mrcfile.read(tmp_path / "stacks" / "mic 1.mrcs")
    yx = read_coordinates(folder / "discs.h5")["mic 1.mrc"].yx
    raw = extract_boxes(mrcfile.read(micrographs[1].path), yx, BOX)
    expected = []
    for box in raw:
        ring = box[background_ring(BOX)]
        scaled = (box - ring.mean()) / ring.std() if normalise else box
        expected.append(-scaled if invert else scaled)
    np.testing.assert_allclose(written, expected, atol=1e-5)


def test_training_goes_on_from_a_model(request_to_train, trained, tmp_path):
    parameters = replace(request_to_train.parameters, n_epochs=1, n_models=1)
    request = replace(
        request_to_train,
        parameters=parameters,
        initial_model=trained.model,
        model=tmp_path / "more",
        dataset=tmp_path / "boxes.h5",
    )
    more = train.run(request, Progress())
    assert more.testing.roc_auc > 0.9
    other = replace(request, box_size=2 * BOX)
    with pytest.raises(IncompatibleModelError, match="box of about 20 px"):
        train.run(other, Progress())


def test_stacks_of_one_name_are_refused(scene, trained, tmp_path):
    micrographs, folder = scene
    coordinates = read_coordinates(folder / "discs.h5")
    twin = replace(micrographs[1], name="mic 0.tif")
    coordinates[twin.name] = coordinates.pop(micrographs[1].name)
    write_coordinates(tmp_path / "twins.h5", coordinates)
    request = replace(
        _score(scene, trained.model, tmp_path, stacks=StackOptions(tmp_path)),
        micrographs=(*micrographs, twin),
        coordinates=tmp_path / "twins.h5",
    )
    with pytest.raises(ValueError, match=r"received 2 micrographs named mic 0\.\*"):
        score.run(request, Progress())


def test_nothing_to_learn_from_is_said(request_to_train):
    only_particles = replace(request_to_train, sources=request_to_train.sources[:1])
    with pytest.raises(ValueError, match="received 60 particles and 0 background"):
        train.run(only_particles, Progress())


def test_what_is_taught_as_negative_is_not_taught_as_particle(request_to_train):
    discs, background, *_ = request_to_train.sources
    twice = replace(discs, name="hard", is_particle=False)
    request = replace(request_to_train, sources=(discs, background, twice))
    rows = collect_coordinates(request, Role.TRAINING)
    assert rows.is_particle.sum() == 0
    assert (~rows.is_particle).sum() == 120
    shifted = replace(request_to_train, sources=(discs, background))
    assert collect_coordinates(shifted, Role.TRAINING).is_particle.sum() == 60


def test_phase_flip_needs_a_ctf(request_to_train, tmp_path):
    flipped = replace(
        request_to_train,
        preprocessing=BoxPreprocessing(input_size=16, phase_flip=True),
        dataset=tmp_path / "boxes.h5",
    )
    with pytest.raises(ValueError, match=r"mic \d\.mrc: .* CTF is not known"):
        train.run(flipped, Progress())
    ctf = Ctf(9000, 9000, 0, 300, 2.7, 0.1)
    known = tuple(replace(m, ctf=ctf) for m in flipped.micrographs)
    parameters = replace(flipped.parameters, n_epochs=1, n_models=1)
    request = replace(
        flipped, micrographs=known, parameters=parameters, model=tmp_path / "model"
    )
    assert load_card(train.run(request, Progress()).model).preprocessing.phase_flip


def test_device_is_kept_with_the_result(scene, trained, tmp_path):
    job = tmp_path / "score.json"
    write_job(job, _score(scene, trained.model, tmp_path))
    assert read_device(job) is None  # not carried out yet
    assert run_job(job).n_scored == 60
    assert read_device(job) == "CPU"


def in_a_process(job: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "deepconsensus_plugin.core.jobs", str(job)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def _pick(micrographs, out: Path) -> PickRequest:
    return PickRequest(
        micrographs, PickParameters(12.0 * 4), out / "peaks", out / "picks.h5"
    )


def test_job_in_its_own_process(scene, tmp_path):
    job, request = tmp_path / "pick.json", _pick(scene[0], tmp_path)
    write_job(job, request)
    done = in_a_process(job)
    assert done.returncode == 0, done.stderr
    assert read_device(job) is None  # no network
    result = read_result(job, PickResult)
    in_other_process = read_coordinates(result.coordinates)
    (tmp_path / "here").mkdir()
    mine = pick.run(_pick(scene[0], tmp_path / "here"), Progress())
    here = read_coordinates(mine.coordinates)
    assert result.n_picks == sum(map(len, here.values())) > 0
    for name, picks in here.items():
        np.testing.assert_array_equal(picks.yx, in_other_process[name].yx)
        np.testing.assert_array_equal(picks.scores, in_other_process[name].scores)


def test_failed_job_says_why_and_leaves_no_result(scene, tmp_path):
    (tmp_path / "bad.mrc").write_bytes(b"no micrograph")
    micrographs, _ = scene
    bad = replace(micrographs[0], name="bad.mrc", path=tmp_path / "bad.mrc")
    job = tmp_path / "pick.json"
    write_job(job, _pick((bad,), tmp_path))
    done = in_a_process(job)
    assert done.returncode == 1
    assert "bad.mrc: expected" in done.stderr
    assert "Traceback" not in done.stderr
    assert not result_path(job).exists()


class _Killed(Exception):
    """Exception that stands for the end of a process."""


def _other_forms(*_: object, **__: object) -> Forms:
    """Choose forms as no machine would: what is continued must not ask."""
    return (Form.FOURIER,) * 8


def test_a_killed_training_goes_on_to_the_same_model(
    request_to_train, tmp_path, monkeypatch
):
    undisturbed, request = (
        replace(request_to_train, dataset=tmp_path / f"{n}.h5", model=tmp_path / n)
        for n in ("undisturbed", "killed")
    )
    trained = train.run(undisturbed, Progress())
    advance, n_validations = MemberTrainer.advance, []

    def advance_and_die(training, count):
        if len(n_validations) == 8:  # in the second network
            raise _Killed
        n_validations.append(training.member)
        advance(training, count)

    monkeypatch.setattr(MemberTrainer, "advance", advance_and_die)
    with pytest.raises(_Killed):
        train.run(request, Progress())
    assert set(n_validations) == {0, 1}
    n_before = len(n_validations)
    cut_at = request.dataset.stat().st_mtime_ns
    n_validations.clear()

    def advance_and_count(training, count):
        n_validations.append(training.member)
        advance(training, count)

    monkeypatch.setattr(MemberTrainer, "advance", advance_and_count)
    monkeypatch.setattr(ensemble, "fastest_forms", _other_forms)
    resumed = train.run(request, Progress())
    assert set(n_validations) == {1}
    n_all = sum(len(history) for history in trained.history)
    assert n_before + len(n_validations) == n_all
    assert request.dataset.stat().st_mtime_ns == cut_at
    assert resumed.history == trained.history
    for mine, other in zip(
        load_networks(resumed.model), load_networks(trained.model), strict=True
    ):
        for a, b in zip(mine.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    assert not request.model.with_name("model.partial").exists()


def test_a_killed_scoring_goes_on_where_it_was(scene, trained, tmp_path, monkeypatch):
    undisturbed, interrupted = (
        _score(
            scene,
            trained.model,
            tmp_path / name,
            batch_size=7,
            stacks=StackOptions(tmp_path / name / "stacks"),
        )
        for name in ("undisturbed", "interrupted")
    )
    for request in (undisturbed, interrupted):
        request.scores.parent.mkdir()
    score.run(undisturbed, Progress())
    predict, batches = batch_scorer.predict, []

    def predict_and_die(networks, boxes, **options):
        if len(batches) == 5:
            raise _Killed
        batches.append(len(boxes))
        return predict(networks, boxes, **options)

    monkeypatch.setattr(batch_scorer, "predict", predict_and_die)
    with pytest.raises(_Killed):
        score.run(interrupted, Progress())
    assert not interrupted.scores.exists()

    def predict_and_count(networks, boxes, **options):
        batches.append(len(boxes))
        return predict(networks, boxes, **options)

    monkeypatch.setattr(batch_scorer, "predict", predict_and_count)
    monkeypatch.setattr(score, "scoring_forms", _other_forms)
    score.run(interrupted, Progress())
    assert sum(batches) == 60
    np.testing.assert_array_equal(
        read_scores(interrupted.scores).mean, read_scores(undisturbed.scores).mean
    )
    for stack in undisturbed.stacks.folder.iterdir():
        other = interrupted.stacks.folder / stack.name
        np.testing.assert_array_equal(mrcfile.read(stack), mrcfile.read(other))
    left = sorted(path.name for path in interrupted.scores.parent.glob("*.*"))
    assert left == [interrupted.scores.name]
