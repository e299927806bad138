# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain of Deep Consensus on small images: stages, jobs, kills and changes."""

from __future__ import annotations

import gzip
import math
import os
import shutil
from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core import jobs
from deepconsensus_plugin.core.calibration.thresholds import (
    ThresholdMode,
    ThresholdRule,
    select,
)
from deepconsensus_plugin.core.consensus import choose_min_pickers, find_consensus
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.requests import (
    BoxSource,
    ScoreRequest,
    ScoringParameters,
    TrainRequest,
)
from deepconsensus_plugin.core.errors import (
    FileFormatError,
    FolderInUseError,
    ModelFormatError,
)
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.locks import only_worker_in
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.negatives.parameters import NegativesParameters
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.pipeline.fuse import fuse_scores
from deepconsensus_plugin.core.pipeline.fuse_request import FuseRequest
from deepconsensus_plugin.core.pipeline.likely_particles import find_likely_particles
from deepconsensus_plugin.core.pipeline.mask import MaskRequest
from deepconsensus_plugin.core.pipeline.negatives import NegativesRequest
from deepconsensus_plugin.core.pipeline.witness_opinion import find_opinion
from deepconsensus_plugin.core.pipeline.witness_request import (
    WitnessRequest,
    read_witness,
)
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.types import (
    DIAMETER_PER_BOX,
    Ctf,
    Micrograph,
    PickerPicks,
    ScoredCoordinates,
)
from deepconsensus_plugin.core.workflow import (
    DeepConsensusOptions,
    DeepConsensusResult,
    candidate_stages,
    run_deep_consensus,
    running,
)
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.core.workflow.geometry import BoxGeometry
from deepconsensus_plugin.core.workflow.sets import find_micrographs, save_picks
from deepconsensus_plugin.core.workflow.stages import draw_negatives, score, train
from deepconsensus_plugin.core.workflow.witness import ask_general_model
from deepconsensus_plugin.tests.small_network import small_networks

BOX = 20
SHAPE = (160, 240)
PREPROCESSING = BoxPreprocessing(input_size=16)
OPTIONS = DeepConsensusOptions(
    training=TrainingParameters(n_epochs=2, batch_size=16, n_models=1),
    preprocessing=PREPROCESSING,
    negatives=NegativesParameters(exclusion_radius=0.4),
)
ASKED = ["mask", "witness", "negatives", "train", "score", "fuse"]
"""Kinds of jobs of a run that combines scores, in their order."""


@pytest.fixture(scope="module", autouse=True)
def small():
    """Stand-ins for the published network, whose graphs take seconds to make."""
    with small_networks():
        yield


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> tuple[tuple[Micrograph, ...], list[PickerPicks]]:
    """Three micrographs of dark discs on noise, and two pickers that err."""
    folder = tmp_path_factory.mktemp("scene")
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(20, 150, 30), np.arange(20, 230, 30)), -1)
    grid = grid.reshape(-1, 2).astype(float)
    rows, columns = np.indices(SHAPE)
    micrographs, found = [], ({}, {})
    for i in range(3):
        image = rng.normal(size=SHAPE)
        order = rng.permutation(len(grid))
        for y, x in grid[order[:15]]:
            image[np.hypot(rows - y, columns - x) < 6] -= 2
        name = f"mic_{i}.mrc"
        with mrcfile.new(folder / name) as file:
            file.set_data(image.astype(np.float32))
        micrographs.append(Micrograph(name, folder / name, SHAPE, 4.0))
        for number, picks in enumerate(found):
            wrong = order[15 + 3 * number : 18 + 3 * number]
            yx = grid[np.concatenate([order[:14], wrong])]
            picks[name] = ScoredCoordinates.from_arrays(
                yx + rng.normal(0, 0.3, yx.shape), rng.uniform(size=len(yx))
            )
    pickers = [PickerPicks(f"p{i}", BOX, picks) for i, picks in enumerate(found)]
    return tuple(micrographs), pickers


@pytest.fixture(scope="module")
def undisturbed(scene, tmp_path_factory) -> DeepConsensusResult:
    return run_deep_consensus(*scene, OPTIONS, tmp_path_factory.mktemp("chain"))


class CountedJobs:
    """Jobs that take what they should make from a complete chain, but masks and fusion.

    The process is killed at the end of one of kind `last`.
    """

    def __init__(self, monkeypatch, complete: DeepConsensusResult, last: str = ""):
        self.kinds, self._from, self._last = [], complete.files, last
        monkeypatch.setattr(running, "carry_out", self)

    def __call__(self, request, progress):
        kind = jobs.job_kind(request)
        self.kinds.append(kind)
        if kind in ("mask", "fuse"):
            jobs.carry_out(request, progress)
        elif kind == "negatives":
            shutil.copy(self._from.negatives, request.result)
        elif kind == "train":
            shutil.copytree(self._from.model, request.model, dirs_exist_ok=True)
        elif kind == "witness":
            shutil.copy(self._from.witness, request.log_odds)
            shutil.copy(self._from.witness_peaks, request.peaks)
            shutil.copy(self._from.null, request.null)
        else:
            shutil.copy(self._from.scores, request.scores)
        if kind == self._last:
            raise _Killed


class _Killed(Exception):
    """Stands for the end of a process."""


def assert_same(mine: DeepConsensusResult, other: DeepConsensusResult) -> None:
    np.testing.assert_array_equal(mine.rows, other.rows)
    np.testing.assert_array_equal(mine.networks.mean, other.networks.mean)
    np.testing.assert_array_equal(mine.score, other.score)
    np.testing.assert_array_equal(mine.accepted, other.accepted)
    assert mine.threshold == other.threshold
    assert mine.files.table.read_bytes() == other.files.table.read_bytes()


def test_it_finds_what_is_there(undisturbed):
    found = undisturbed
    assert len(found.candidates) == 3 * 20
    assert found.accepted.sum() == sum(map(len, found.coordinates.values()))
    by_both = found.candidates.take(found.rows).votes == 2
    assert (found.accepted & by_both).sum() > 0.8 * by_both.sum()
    assert len(found.calibration.pickers) == 2
    table = read_scores_csv(found.files.table)
    np.testing.assert_array_equal(table.accepted, found.accepted)
    np.testing.assert_array_equal(table.score, found.score)
    np.testing.assert_array_equal(table.general_model, found.general_model)
    np.testing.assert_array_equal(
        np.concatenate([each.scores for each in found.scored.values()]), found.score
    )
    assert not (found.files.folder / "boxes.h5").exists()


def test_stages_called_alone_give_the_same(scene, undisturbed, tmp_path):
    micrographs, pickers = scene
    candidates = find_consensus(
        pickers, consensus_radius_px=0.1 * BOX, merge_radius_px=0.3 * BOX
    )
    told = ask_general_model(
        micrographs, candidates.coordinates(), tmp_path, box_size=BOX
    )
    files = ChainFiles(tmp_path)
    background = draw_negatives(
        micrographs,
        candidates,
        tmp_path,
        box_size=BOX,
        parameters=OPTIONS.negatives,
        avoid=find_likely_particles(files.witness_peaks, files.null),
    )
    model = train(
        micrographs,
        candidates.agreed(2),
        background,
        tmp_path,
        box_size=BOX,
        parameters=OPTIONS.training,
        preprocessing=PREPROCESSING,
    )
    networks = score(
        micrographs, candidates.coordinates(), model, tmp_path, box_size=BOX
    )
    log_odds = np.concatenate([each.scores for each in told.values()])
    opinion = find_opinion(
        read_witness(files.witness, candidates),
        *(candidates, files.witness_peaks, files.null),
    )
    probability, _ = fuse_scores(candidates, networks.mean, opinion, seed=0)
    np.testing.assert_array_equal(log_odds, undisturbed.general_model)
    np.testing.assert_array_equal(networks.mean, undisturbed.networks.mean)
    np.testing.assert_array_equal(networks.spread, undisturbed.networks.spread)
    np.testing.assert_array_equal(probability, undisturbed.score)
    accepted = select(probability, OPTIONS.threshold)
    np.testing.assert_array_equal(accepted, undisturbed.accepted)


@pytest.mark.parametrize("last", ASKED)
def test_a_killed_chain_repeats_only_the_job_that_it_was_at(
    scene, undisturbed, tmp_path, monkeypatch, last
):
    kinds = ASKED
    killed = CountedJobs(monkeypatch, undisturbed, last)
    with pytest.raises(_Killed):
        run_deep_consensus(*scene, OPTIONS, tmp_path)
    assert killed.kinds == kinds[: kinds.index(last) + 1]
    resumed = CountedJobs(monkeypatch, undisturbed)
    assert_same(run_deep_consensus(*scene, OPTIONS, tmp_path), undisturbed)
    is_kept = last == "mask"  # masks that were all made
    assert resumed.kinds == kinds[kinds.index(last) + is_kept :]


def test_a_chain_killed_after_training_does_not_train_again(
    scene, undisturbed, tmp_path, monkeypatch
):
    with monkeypatch.context() as patched:
        before = CountedJobs(patched, undisturbed)
        patched.setattr(candidate_stages, "score", _die)
        with pytest.raises(_Killed):
            run_deep_consensus(*scene, OPTIONS, tmp_path)
    assert before.kinds == ["mask", "witness", "negatives", "train"]
    after = CountedJobs(monkeypatch, undisturbed)
    assert_same(run_deep_consensus(*scene, OPTIONS, tmp_path), undisturbed)
    assert after.kinds == ["score", "fuse"]


def _die(*_, **__):
    raise _Killed


def test_two_chains_in_one_folder(scene, undisturbed, tmp_path):
    with only_worker_in(tmp_path):
        with pytest.raises(FolderInUseError, match="is at work in it"):
            run_deep_consensus(*scene, OPTIONS, tmp_path)


def test_an_exchanged_micrograph_is_named(scene, undisturbed, tmp_path, caplog):
    """Of the same size and time."""
    micrographs, pickers = scene
    own = [
        replace(each, path=Path(shutil.copy2(each.path, tmp_path)))
        for each in micrographs
    ]
    seeded = replace(OPTIONS, fusion_seed=None)
    run_deep_consensus(own, pickers, seeded, tmp_path / "chain")
    path = own[1].path
    status = path.stat()
    shutil.copyfile(own[2].path, path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    caplog.clear()
    with caplog.at_level("INFO"):
        found = run_deep_consensus(own, pickers, seeded, tmp_path / "chain")
    assert "train: done again: mic_1.mrc" in caplog.text
    assert "score: done again: mic_1.mrc" in caplog.text
    assert "1 masks made, 2 were there" in caplog.text
    fresh = run_deep_consensus(own, pickers, seeded, tmp_path / "fresh")
    assert_same(found, fresh)


def test_only_what_has_changed_is_done_again(scene, undisturbed, tmp_path, monkeypatch):
    micrographs, pickers = scene
    plain = replace(OPTIONS, fusion_seed=None)

    def kinds_with(pickers=pickers, **changes):
        counted = CountedJobs(monkeypatch, undisturbed)
        options = replace(plain, **changes)
        run_deep_consensus(micrographs, pickers, options, tmp_path)
        return counted.kinds

    assert kinds_with() == ["mask", "negatives", "train", "score"]
    assert kinds_with() == []
    best = ThresholdRule(ThresholdMode.FIRST_N, n_first=5)
    assert kinds_with(threshold=best, workers=1) == []
    half = ScoringParameters(half_precision=True)
    assert kinds_with(scoring=half) == ["score"]
    (tmp_path / "scores.h5").unlink()
    assert kinds_with(scoring=half) == ["score"]
    # A change of how to train makes, in truth, another model too.
    seed = replace(OPTIONS.training, seed=7)
    assert kinds_with(scoring=half, training=seed) == ["train"]
    (tmp_path / "model" / "model.keras").write_bytes(b"another")
    assert kinds_with(scoring=half, training=seed) == ["train"]
    first, second = pickers
    moved = {
        name: ScoredCoordinates(picks.yx + 0.1, picks.scores)
        for name, picks in first.coordinates.items()
    }
    others = [replace(first, coordinates=moved), second]
    assert kinds_with(others) == ["negatives", "train", "score"]
    os.utime(micrographs[0].path)
    assert kinds_with(others) == ["mask", "negatives", "train", "score"]


def test_whoever_runs_the_jobs_is_asked_for_the_same(scene, undisturbed, tmp_path):
    """The requests that the protocols of the stages make, each in its job file."""
    micrographs, _ = scene
    asked = []

    def run_as_file(request):
        asked.append(request)
        job = tmp_path / f"{jobs.job_kind(request)}.json"
        jobs.write_job(job, request)
        assert jobs.read_request(job, type(request)) == request
        jobs.run_job(job)

    found = run_deep_consensus(*scene, OPTIONS, tmp_path, run_job=run_as_file)
    assert_same(found, undisturbed)
    assert not list(tmp_path.glob("*.done.json"))
    n_agreed = int(found.candidates.is_agreed(2).sum())
    assert choose_min_pickers(found.candidates, min_positives=n_agreed) == 2
    masks = tmp_path / "masks"
    assert asked == [
        MaskRequest(micrographs, masks, diameter_A=BOX * 4.0 * DIAMETER_PER_BOX),
        WitnessRequest(
            micrographs,
            tmp_path / "witness_candidates.h5",
            BOX,
            general_model(),
            particle_diameter_A=2 / 3 * BOX * 4.0,
            are_particles_dark=PREPROCESSING.invert,
            seen=tmp_path / "witness",
            log_odds=tmp_path / "witness.h5",
            peaks=tmp_path / "witness_peaks.h5",
            null=tmp_path / "null.json",
        ),
        NegativesRequest(
            micrographs,
            tmp_path / "candidates.h5",
            BOX,
            min_pickers=2,
            result=tmp_path / "negatives.h5",
            n_positives=n_agreed,
            masks=masks,
            exclusion_radius=0.4,
            avoid=tmp_path / "avoided.h5",
        ),
        TrainRequest(
            micrographs,
            (
                BoxSource("agreed picks", tmp_path / "agreed.h5", True),
                BoxSource("background", tmp_path / "background.h5", False),
            ),
            BOX,
            PREPROCESSING,
            OPTIONS.training,
            dataset=tmp_path / "boxes.h5",
            model=tmp_path / "model",
        ),
        ScoreRequest(
            micrographs,
            tmp_path / "coordinates.h5",
            BOX,
            tmp_path / "model",
            tmp_path / "scores.h5",
        ),
        FuseRequest(
            tmp_path / "candidates.h5",
            tmp_path / "positions.npy",
            tmp_path / "scores.h5",
            dict.fromkeys([each.name for each in micrographs], SHAPE),
            seed=OPTIONS.fusion_seed,
            score=tmp_path / "score.npy",
            calibration=tmp_path / "calibration.json",
            witness=tmp_path / "witness.h5",
            witness_peaks=tmp_path / "witness_peaks.h5",
            null=tmp_path / "null.json",
            averages=tmp_path / "averages.h5",
            model=tmp_path / "model",
        ),
    ]


def test_a_model_is_used_as_it_is(scene, undisturbed, tmp_path):
    options = replace(
        OPTIONS,
        initial_model=undisturbed.files.model,
        skip_training=True,
        preprocessing=BoxPreprocessing(phase_flip=True),  # the model's counts
        fusion_seed=None,
    )
    progress = Progress(tmp_path / "progress.json")
    found = run_deep_consensus(*scene, options, tmp_path, progress)
    assert [*progress.timings] == ["mask", "score"]
    assert '"stage": "score"' in progress.path.read_text()
    np.testing.assert_array_equal(found.score, undisturbed.networks.mean)
    assert found.calibration is None
    assert found.threshold == 0.5  # automatic, of scores that are no probabilities
    with pytest.raises(ValueError, match="expected an initial_model"):
        replace(options, initial_model=None)


def test_boxes_of_other_micrographs_are_asked_for_in_their_pixels(scene, tmp_path):
    """Binned ones, one without a CTF, which phases are to be flipped by."""
    micrographs, pickers = scene
    ctf = Ctf(15000, 14000, 30, 300, 2.7, 0.1)
    binned = [
        replace(each, sampling_rate=8.0, shape=(80, 120), ctf=ctf)
        for each in micrographs[:2]
    ] + [replace(micrographs[2], sampling_rate=8.0, shape=(80, 120))]
    options = replace(OPTIONS, preprocessing=BoxPreprocessing(16, phase_flip=True))
    asked = []

    def refuse(request):
        if isinstance(request, MaskRequest | NegativesRequest | WitnessRequest):
            jobs.carry_out(request, Progress())
            return
        asked.append(request)
        raise _Killed

    with pytest.raises(_Killed):
        run_deep_consensus(*scene, options, tmp_path, cut_from=binned, run_job=refuse)
    (request,) = asked
    assert (request.box_size, request.micrographs) == (10, tuple(binned))
    learnt = read_coordinates(tmp_path / "agreed.h5")
    assert list(learnt) == ["mic_0.mrc", "mic_1.mrc"]
    candidates = find_consensus(
        pickers, consensus_radius_px=0.1 * BOX, merge_radius_px=0.3 * BOX
    )
    expected = candidates.agreed(2)["mic_1.mrc"].yx / 2
    np.testing.assert_array_equal(learnt["mic_1.mrc"].yx, expected)


@pytest.mark.parametrize(
    ("sampling_rate", "box"), [(4.0, 21), (8.0, 10), (3.0, 28), (400.0, 2)]
)
def test_a_scaled_box_is_even(scene, sampling_rate, box):
    micrographs, _ = scene
    cut = [replace(micrographs[0], sampling_rate=sampling_rate)]
    geometry = BoxGeometry.of(cut, box_size=21, sampling_rate=4.0)
    assert geometry.box_size == box
    assert geometry.scale == 4.0 / sampling_rate


# -------------------------- what is refused --------------------------
def test_input_without_anything_to_find_is_refused_at_the_door(scene, tmp_path):
    micrographs, pickers = scene
    elsewhere = [
        replace(p, coordinates={"x": p.coordinates["mic_0.mrc"]}) for p in pickers
    ]
    file = tmp_path / "file"
    file.touch()
    for given, picks, folder, complaint in [
        ([], pickers, "new", "micrographs: expected at least one, received none"),
        (micrographs, [], "new", "pickers: expected at least one, received none"),
        (micrographs, elsewhere, "new", "expected picks on the micrographs"),
        (micrographs, pickers, "file", "file: expected a folder, received a file"),
    ]:
        with pytest.raises((ValueError, FileExistsError), match=complaint):
            run_deep_consensus(given, picks, OPTIONS, tmp_path / folder)
    assert list(tmp_path.iterdir()) == [file]


def test_a_model_to_start_from_that_is_not_there_is_told(scene, tmp_path):
    micrographs, pickers = scene
    with pytest.raises(ModelFormatError, match=r"card\.json.*received no card\.json"):
        train(
            micrographs,
            pickers[0].coordinates,
            pickers[1].coordinates,
            tmp_path,
            box_size=BOX,
            preprocessing=PREPROCESSING,
            initial_model=tmp_path / "none",
        )


@pytest.mark.parametrize("sampling_rate", [0.0, -1.0, math.inf, math.nan])
def test_micrographs_of_no_sampling_rate_are_refused(scene, sampling_rate):
    pattern = scene[0][0].path.parent / "*.mrc"
    assert len(find_micrographs(pattern, sampling_rate=4.0)) == 3
    with pytest.raises(ValueError, match="it must be above 0, received"):
        find_micrographs(pattern, sampling_rate=sampling_rate)


def test_micrographs_that_cannot_be_read_are_left_out_where_allowed(
    scene, tmp_path, caplog
):
    for each in scene[0]:
        shutil.copy(each.path, tmp_path)
    content = (tmp_path / "mic_1.mrc").read_bytes()
    (tmp_path / "mic_1.mrc").write_bytes(content[:5000])
    (tmp_path / "mic_2.mrc").write_bytes(gzip.compress(content)[:-50])
    with pytest.raises(FileFormatError, match=r"mic_1\.mrc: expected"):
        find_micrographs(tmp_path / "*.mrc", sampling_rate=4.0)
    (found,) = find_micrographs(tmp_path / "*.mrc", sampling_rate=4.0, skip_bad=True)
    assert found.name == "mic_0.mrc"
    assert [line.split(": ")[0] for line in caplog.messages] == [
        f"{tmp_path}/mic_{i}.mrc" for i in (1, 2)
    ]
    (tmp_path / "mic_0.mrc").unlink()
    with pytest.raises(FileNotFoundError, match="received none"):
        find_micrographs(tmp_path / "*.mrc", sampling_rate=4.0, skip_bad=True)


def test_only_formats_of_several_micrographs_are_offered(tmp_path):
    with pytest.raises(ValueError, match="expected an extension of") as raised:
        save_picks(tmp_path / "x.foo", {}, box_size=BOX)
    offered = str(raised.value).partition("extension of ")[2].split(", ")
    assert {".star", ".csv", ".txt"} <= set(offered)
    assert not {".box", ".pos", ".json", ".cbox"} & set(offered)
    with pytest.raises(ValueError, match="expected an extension of"):
        save_picks(tmp_path / "x.box", {}, box_size=BOX)
