# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs give the same to the bit wherever their work is done, and lose nothing.

The published network, small: other processes know no stand-in.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.averages.parameters import AveragesParameters
from deepconsensus_plugin.core.deep_consensus import score, train
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.requests import (
    BoxSource,
    ScoreRequest,
    StackOptions,
    TrainRequest,
)
from deepconsensus_plugin.core.deep_consensus.store import load_networks
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.execution.dask_scheduler import DaskWorkers
from deepconsensus_plugin.core.execution.places import PROCESSES, WorkPlace, working_at
from deepconsensus_plugin.core.execution.processes import Processes
from deepconsensus_plugin.core.io.scores import read_scores
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.pickers.classical.parameters import PickParameters
from deepconsensus_plugin.core.pipeline import averages, mask, pick
from deepconsensus_plugin.core.pipeline.averages_request import AveragesRequest
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates
from deepconsensus_plugin.tests.clusters import local_cluster

pytestmark = pytest.mark.slow

BOX, SHAPE, RATE = 20, (160, 240), 4.0
N_MICROGRAPHS, N_BOXES = 8, 30


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> tuple[tuple[Micrograph, ...], Path]:
    """Return micrographs of dark discs on noise, and the folder of all coordinates."""
    folder, rng = tmp_path_factory.mktemp("scene"), np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(20, 150, 30), np.arange(20, 230, 30)), -1)
    grid = grid.reshape(-1, 2).astype(float)
    rows, columns = np.indices(SHAPE)
    micrographs, sets = [], {"discs": {}, "empty": {}, "all": {}}
    for i in range(N_MICROGRAPHS):
        image, order = rng.normal(size=SHAPE), rng.permutation(len(grid))[:N_BOXES]
        discs, empty = grid[order[: N_BOXES // 2]], grid[order[N_BOXES // 2 :]]
        for y, x in discs:
            image[np.hypot(rows - y, columns - x) < 6] -= 2
        path = folder / f"mic_{i}.mrc"
        mrcfile.write(path, image.astype(np.float32))
        micrographs.append(Micrograph(path.name, path, SHAPE, RATE))
        for name, yx in (("discs", discs), ("empty", empty), ("all", grid[order])):
            sets[name][path.name] = ScoredCoordinates.from_arrays(yx)
    for name, coordinates in sets.items():
        write_coordinates(folder / f"{name}.h5", coordinates)
    return tuple(micrographs), folder


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    with local_cluster() as address:
        yield address


def _train(scene, out: Path, progress: Progress) -> Path:
    micrographs, folder = scene
    request = TrainRequest(
        micrographs=micrographs,
        sources=(
            BoxSource("AND", folder / "discs.h5", is_particle=True),
            BoxSource("NEG", folder / "empty.h5", is_particle=False),
        ),
        box_size=BOX,
        preprocessing=BoxPreprocessing(input_size=16),
        parameters=TrainingParameters(n_updates=3, batch_size=8, n_models=2),
        dataset=out / "boxes.h5",
        model=out / "model",
    )
    train.run(request, progress)
    return request.model


@pytest.fixture(scope="module")
def model(scene, tmp_path_factory) -> Path:
    return _train(scene, tmp_path_factory.mktemp("train"), Progress())


@pytest.fixture(params=["processes", "dask"])
def elsewhere(request) -> Iterator[Progress]:
    """Return the progress of a job whose work is done in other processes."""
    place = WorkPlace(PROCESSES)
    if request.param == "dask":
        place = WorkPlace(request.getfixturevalue("scheduler"))
    with working_at(place) as progress:
        yield progress


def _score(scene, model: Path, out: Path, progress: Progress) -> ScoreRequest:
    micrographs, folder = scene
    request = ScoreRequest(
        micrographs=micrographs,
        coordinates=folder / "all.h5",
        box_size=BOX,
        model=model,
        scores=out / "scores.h5",
        stacks=StackOptions(out / "stacks"),
        batch_size=7,
    )
    out.mkdir()
    score.run(request, progress)
    return request


def _check_same_scores(mine: ScoreRequest, other: ScoreRequest) -> None:
    a, b = read_scores(mine.scores), read_scores(other.scores)
    assert len(a.mean) == N_MICROGRAPHS * N_BOXES
    np.testing.assert_array_equal(a.mean, b.mean)
    np.testing.assert_array_equal(a.spread, b.spread)
    for stack in mine.stacks.folder.iterdir():
        np.testing.assert_array_equal(
            mrcfile.read(stack), mrcfile.read(other.stacks.folder / stack.name)
        )


@pytest.fixture(scope="module")
def scored(scene, model, tmp_path_factory) -> ScoreRequest:
    return _score(scene, model, tmp_path_factory.mktemp("scored") / "out", Progress())


@pytest.mark.parametrize(
    ("place", "gpus"), [(PROCESSES, ()), (None, ("6", "7"))], ids=["processes", "GPUs"]
)
def test_scores_and_stacks(scene, model, scored, tmp_path, place, gpus):
    """The GPUs are not there: their processes compute on the CPU."""
    with working_at(WorkPlace(place), gpus) as progress:
        _check_same_scores(scored, _score(scene, model, tmp_path / "out", progress))


@dataclass(eq=False)
class _Killing(Progress):
    """Progress that calls a function once, when something is done."""

    kill: Callable[[], Any] | None = None

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        with super().stage(name, total) as count:

            def advance(units: int = 1) -> None:
                count(units)
                if units and self.kill is not None:
                    kill, self.kill = self.kill, None
                    kill()

            yield advance


def test_a_worker_killed_while_scoring_loses_nothing(scene, model, scored, tmp_path):
    with local_cluster() as address, DaskWorkers(address) as workers:
        pid = min(workers._client.run(os.getpid).values())
        progress = _Killing(
            executor=workers,
            networks=workers.for_networks(),
            kill=lambda: os.kill(pid, signal.SIGKILL),
        )
        there = _score(scene, model, tmp_path / "out", progress)
    assert progress.kill is None
    _check_same_scores(scored, there)


def test_networks_of_an_ensemble(scene, model, tmp_path):
    """Trained side by side, one a GPU; these are not there, so on the CPU."""
    progress = Progress(networks=Processes(["6", "7"]))
    other = _train(scene, tmp_path, progress)
    for a, b in zip(load_networks(model), load_networks(other), strict=True):
        for mine, its in zip(a.get_weights(), b.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, its)
    assert not (tmp_path / "model.partial").exists()


def _check_same_picks(mine, other) -> None:
    assert [*mine] == [*other]
    for name in mine:
        np.testing.assert_array_equal(mine[name].yx, other[name].yx)
        np.testing.assert_array_equal(mine[name].scores, other[name].scores)


def test_classical_picks_and_masks_by_relative_paths(
    scene, tmp_path, elsewhere, monkeypatch
):
    """Paths of a project start from its folder, wherever the workers were started."""
    micrographs, folder = scene
    monkeypatch.chdir(folder)
    relative = tuple(replace(m, path=Path(m.path.name)) for m in micrographs)
    out = Path(os.path.relpath(tmp_path, folder))
    picks = {}
    for name, progress in (("here", Progress()), ("there", elsewhere)):
        (out / name).mkdir()
        request = pick.PickRequest(
            relative,
            PickParameters(48.0),
            peaks=out / name / "peaks",
            result=out / name / "picks.h5",
        )
        pick.run(request, progress)
        picks[name] = read_coordinates(request.result)
        masks = mask.MaskRequest(relative, out / name / "only_masks", 48.0)
        mask.run(masks, progress)
        assert mask.are_made(masks)
    _check_same_picks(picks["here"], picks["there"])


def test_averages(scene, tmp_path, elsewhere):
    micrographs, folder = scene
    tables = []
    for name, progress in (("here", Progress()), ("there", elsewhere)):
        request = AveragesRequest(
            micrographs,
            folder / "all.h5",
            BOX,
            are_particles_dark=True,
            averages=tmp_path / name / "averages.h5",
            parameters=AveragesParameters(sample=200),  # so that all are read again
        )
        request.averages.parent.mkdir()
        averages.run(request, progress)
        with h5py.File(request.averages) as file:
            tables.append({key: np.asarray(file[key]) for key in file})
    assert [*tables[0]] == [*tables[1]]
    for key, column in tables[0].items():
        np.testing.assert_array_equal(column, tables[1][key], err_msg=key)
