"""DeepEM from labels to a model and from the model to picks, on drawn micrographs."""

from __future__ import annotations

from dataclasses import replace

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.methods import load_card_of, load_picker
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.pickers.deepem import train as train_deepem
from deepconsensus_plugin.core.pickers.deepem.card import DeepEMCard
from deepconsensus_plugin.core.pickers.deepem.examples import BoxExamples
from deepconsensus_plugin.core.pickers.deepem.parameters import (
    DeepEMParameters,
    DeepEMRound,
    OperatingPoint,
    Variant,
)
from deepconsensus_plugin.core.pickers.deepem.request import DeepEMTrainRequest
from deepconsensus_plugin.core.pickers.deepem.task import squared_error
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

BOX = 32
SHAPE = (220, 260)
PARAMETERS = DeepEMParameters(
    input_size=24, maps=(4, 4, 4), n_epochs=3, n_updates=25, batch_size=32, n_rounds=2
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Return four micrographs of dark rings, and where the rings are."""
    folder = tmp_path_factory.mktemp("rings")
    rng = np.random.default_rng(0)
    micrographs, truth = [], {}
    y, x = np.ogrid[: SHAPE[0], : SHAPE[1]]
    grid = np.stack(np.mgrid[25:200:42, 25:240:42], axis=-1).reshape(-1, 2)
    for number in range(4):
        centres = grid[rng.permutation(len(grid))[:16]] + rng.uniform(-5, 5, (16, 2))
        image = rng.normal(size=SHAPE)
        for cy, cx in centres:
            distance = np.hypot(y - cy, x - cx)
            image -= 2.5 * np.exp(-((distance - 8) ** 2) / 8)
        name = f"mic_{number}.mrc"
        with mrcfile.new(folder / name) as file:
            file.set_data(image.astype(np.float32))
        micrographs.append(Micrograph(name, folder / name, SHAPE, 2.0))
        truth[name] = ScoredCoordinates.from_arrays(centres)
    return tuple(micrographs), truth


def request(drawn, folder, parameters=PARAMETERS):
    micrographs, truth = drawn
    labels = folder / "labels.h5"
    write_coordinates(labels, truth)
    learnt = LearningInput(
        micrographs=micrographs,
        labels=labels,
        set_name="rings",
        box_size=BOX,
        particle_diameter_A=40.0,
        pixel_size_A=2.0 * BOX / parameters.input_size,
        validation_fraction=0.25,
    )
    return DeepEMTrainRequest(learnt, parameters, folder / "model")


@pytest.mark.slow
def test_learnt_picker_finds_particles(drawn, tmp_path):
    asked = request(drawn, tmp_path)

    result = train_deepem.run(asked, Progress())
    card = load_card_of(result.model, DeepEMCard)
    picker = load_picker(result.model)
    micrographs, truth = drawn
    found = {m.name: picker.find(picker.prepare(m)) for m in micrographs}
    matched = match_picks(found, truth, radius_px=BOX / 4, threshold=0.0)

    assert (result.n_micrographs, result.n_labels) == (3, 48)
    assert [each.number for each in card.rounds] == [1, 2]
    assert card.rounds[1].n_particles > card.rounds[0].n_particles == 48
    assert result.validation.average_precision > 0.8
    assert matched.is_match[matched.is_accepted].sum() > 0.8 * 64
    assert np.hypot(*matched.offsets_yx.T).mean() < 3
    assert 0 < card.deviations.lowest < card.deviations.highest


@pytest.mark.slow
def test_killed_training_ends_as_one_that_was_not(drawn, tmp_path, monkeypatch):
    quick = replace(PARAMETERS, n_epochs=1, n_updates=5)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    expected = train_deepem.run(request(drawn, whole, quick), Progress())

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train_deepem, "save_picker", stop)
        train_deepem.run(request(drawn, killed, quick), Progress())
    continued = train_deepem.run(request(drawn, killed, quick), Progress())

    assert continued.history == expected.history
    assert continued.validation == expected.validation


@pytest.mark.slow
def test_paper_variant_minimises_the_squared_error_of_equation_4(drawn, tmp_path):
    paper = replace(PARAMETERS, variant=Variant.PAPER, n_rounds=1)

    (history,) = train_deepem.run(request(drawn, tmp_path, paper), Progress()).history

    assert paper.first_rate == 1
    assert history[-1].training_loss < history[0].training_loss
    error = squared_error(np.array([[1.0], [0.0]]), np.array([[0.6], [0.2]]))
    np.testing.assert_allclose(np.asarray(error), [0.08, 0.02])


@pytest.mark.slow
def test_training_ends_when_it_is_accurate_enough(drawn, tmp_path):
    easy = replace(PARAMETERS, wanted_accuracy=0.51, n_rounds=1)

    (history,) = train_deepem.run(request(drawn, tmp_path, easy), Progress()).history

    assert len(history) == 1


def test_best_round_is_that_of_the_largest_f2():
    figures = [
        DeepEMRound(i, 1, 1, 0.9, None if f2 is None else OperatingPoint(0, 1, 1, f2))
        for i, f2 in enumerate([None, 0.7, 0.8, 0.8, 0.6])
    ]

    assert train_deepem.best_round(figures) == 3


def test_batches_hold_both_kinds_turned_and_mirrored():
    box = np.arange(9.0).reshape(1, 3, 3).astype(np.float32)
    examples = BoxExamples(box, -box)
    rng = np.random.default_rng(0)

    boxes, targets = examples.batch(400, rng)
    mirrored, _ = examples.batch(400, rng, mirrored=True)

    assert targets.mean() == 0.5
    assert (boxes[targets[:, 0] == 1] >= 0).all()
    assert len(np.unique(np.abs(boxes).reshape(400, 9), axis=0)) == 4
    assert len(np.unique(np.abs(mirrored).reshape(400, 9), axis=0)) == 8
    assert (box == np.arange(9).reshape(3, 3)).all()
    with pytest.raises(ValueError, match="received 1 and 0"):
        BoxExamples(box, box[:0])


def test_half_of_the_others_in_a_batch_are_mistakes_once_there_are_any():
    particle, other, mistake = (np.full((1, 2, 2), i, np.float32) for i in range(3))
    examples = BoxExamples(particle, np.repeat(other, 99, axis=0))
    rng = np.random.default_rng(0)

    more = examples.with_more(particle, mistake).with_more(particle, mistake)
    boxes, targets = more.batch(40, rng)
    none, _ = examples.with_more(particle, mistake[:0]).batch(40, rng)

    assert np.bincount(boxes[:, 0, 0, 0].astype(int)).tolist() == [20, 10, 10]
    assert (targets[:, 0] == (boxes[:, 0, 0, 0] == 0)).all()
    assert np.bincount(none[:, 0, 0, 0].astype(int)).tolist() == [20, 20]
    assert (len(more.particles), len(more.all_others)) == (3, 101)
