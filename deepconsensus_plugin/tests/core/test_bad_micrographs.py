# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs without signal: found, left out of what is learnt, nothing accepted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.calibration.report import read_report
from deepconsensus_plugin.core.deep_consensus.labelled import collect_coordinates
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.requests import (
    BoxSource,
    Role,
    TrainRequest,
)
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.scores import EnsembleScores, write_scores
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.io.tables import (
    read_candidates,
    read_coordinates,
    write_candidates,
    write_coordinates,
)
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
from deepconsensus_plugin.core.pipeline.fuse import keep_fused
from deepconsensus_plugin.core.pipeline.negatives import NegativesRequest, run
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.reasons import Reason, in_words
from deepconsensus_plugin.core.types import Micrograph, PickerPicks, ScoredCoordinates
from deepconsensus_plugin.core.usable_area.bad_micrographs import (
    describe_bad_micrographs,
    find_bad_micrographs,
    share_without_signal,
)
from deepconsensus_plugin.core.workflow.candidate_finding import find_candidates
from deepconsensus_plugin.core.workflow.chain import select_scored
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.core.workflow.fusing import fuse_scored

SHAPE, BOX = (320, 480), 20
GOOD = ("a.mrc", "c.mrc", "d.mrc")
BAD = ("b_nan.mrc", "e_zero.mrc", "f_five.mrc")


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 1, SHAPE).astype(np.float32)


def partly(value: float, share: float) -> np.ndarray:
    """Return noise of which a share of the columns has one value."""
    image = noise()
    image[:, : round(share * SHAPE[1])] = value
    return image


@pytest.mark.parametrize(
    "image",
    [
        np.zeros(SHAPE, np.float32),
        np.full(SHAPE, 7, np.int16),
        np.full(SHAPE, np.nan, np.float32),
        np.full(SHAPE, -np.inf, np.float32),
        np.float32(5e3) + np.float32(5e-4) * noise(),
        partly(np.nan, 0.9),
        partly(3.0, 0.9),
        np.zeros((10, 12), np.uint8),
    ],
)
def test_most_of_these_is_without_signal(image):
    assert share_without_signal(image) > 0.75


@pytest.mark.parametrize(
    "image",
    [
        noise(),
        1e-20 * noise(),
        1e6 + 10 * noise(),
        np.random.default_rng(1).poisson(0.3, SHAPE).astype(np.uint8),
        np.round(0.5 * noise()).astype(np.int8),  # badly scaled to 8 bits
        np.where(noise() > 1, np.nan, noise()),
        noise()[:10, :12],
    ],
)
def test_hardly_anything_of_these_is_without_signal(image):
    assert share_without_signal(image) < 0.01


def test_padding_does_not_make_a_micrograph_bad():
    assert share_without_signal(partly(0, 0.5)) == pytest.approx(0.5, abs=0.05)


def test_a_warning_names_the_first_and_counts_the_others():
    assert describe_bad_micrographs([]) == []
    (one,), (two,), (four,) = (describe_bad_micrographs("abcd"[:n]) for n in (1, 2, 4))
    assert one.startswith("WARNING: a: most pixels have the same value, are not")
    assert two.startswith("WARNING: a and another: ")
    assert four.startswith("WARNING: a and 3 others: ")


# -------------------------- what becomes of their candidates --------------------------
def write_set(folder: Path) -> tuple[Micrograph, ...]:
    """Write good micrographs and bad ones, in the order of names."""
    images = {name: noise(number) for number, name in enumerate(GOOD)}
    bad = zip(BAD, (np.nan, 0.0, 5.0), strict=True)
    images |= {name: np.full(SHAPE, value, np.float32) for name, value in bad}
    for name, image in images.items():
        mrcfile.write(folder / name, np.zeros_like(image))
        with mrcfile.mmap(folder / name, "r+") as file:
            file.data[:] = image  # without statistics, which would warn of NaN
    return tuple(Micrograph(name, folder / name, SHAPE, 2.0) for name in sorted(images))


def pick(names: tuple[str, ...]) -> list[PickerPicks]:
    """Return two pickers that agree, each with picks of its own; the same by name."""
    picks: dict[str, dict[str, ScoredCoordinates]] = {"one": {}, "two": {}}
    for name in names:
        rng = np.random.default_rng(list(name.encode()))
        # Agreement is best where nothing can be seen.
        n_own = 2 if name in BAD else 8
        shared = rng.uniform((20, 20), np.subtract(SHAPE, 20), (14, 2))
        for found in picks.values():
            own = rng.uniform((5, 5), np.subtract(SHAPE, 5), (n_own, 2))
            yx = np.concatenate([shared, own])
            found[name] = ScoredCoordinates.from_arrays(yx, rng.random(len(yx)))
    return [PickerPicks(name, BOX, found) for name, found in picks.items()]


class Judged:
    """Stages of the chain without a network, whose scores are drawn by micrograph."""

    def __init__(self, folder: Path, micrographs: tuple[Micrograph, ...], **options):
        folder.mkdir()
        self.folder, self.micrographs = folder, micrographs
        self.files = ChainFiles(folder)
        names = tuple(each.name for each in micrographs)
        rules = ConsensusRules(min_pickers=2)
        self.found = find_candidates(micrographs, pick(names), rules, folder, **options)
        self.candidates = self.found.candidates
        drawn = [
            np.random.default_rng(list(name.encode())).random(np.sum(here))
            for name in names
            if (here := self.candidates.are_on({name})).any()
        ]
        network = np.concatenate(drawn)
        np.save(self.files.positions, np.arange(len(network)))
        write_scores(self.files.scores, EnsembleScores.of(network[:, np.newaxis]))

    def select(self, *, seed: int | None = 3):
        fuse_scored(self.folder, seed=seed)
        rule = AcceptanceRule(spacing=Spacing(over_border=True))
        return select_scored(self.found, self.micrographs, self.folder, rule)


@pytest.fixture
def micrographs(tmp_path):
    return write_set(tmp_path)


def only_good(micrographs):
    return tuple(each for each in micrographs if each.name in GOOD)


def test_they_are_found_once_and_kept_with_the_candidates(tmp_path, micrographs):
    assert find_bad_micrographs(micrographs) == BAD
    run_ = Judged(tmp_path / "run", micrographs)
    assert run_.candidates.bad_micrographs == BAD
    assert read_candidates(run_.files.candidates).bad_micrographs == BAD
    warning = run_.found.report.sentences()[0]
    assert warning.startswith("WARNING: b_nan.mrc and 2 others: ")
    assert Judged(tmp_path / "good", only_good(micrographs)).found.report.remarks == []


def test_a_bad_micrograph_among_those_that_are_cut_counts(tmp_path, micrographs):
    good = only_good(micrographs)
    cut = tuple(replace(e, path=tmp_path / BAD[0]) if e is good[1] else e for e in good)
    run_ = Judged(tmp_path / "run", good, cut_from=cut)
    assert run_.candidates.bad_micrographs == ("c.mrc",)


def test_nothing_on_them_is_agreed_and_nothing_is_drawn(tmp_path, micrographs):
    run_ = Judged(tmp_path / "run", micrographs)
    agreed = run_.candidates.agreed(2)
    assert all(len(agreed[name]) == (14 if name in GOOD else 0) for name in agreed)
    assert run_.found.report.n_and == 14 * len(GOOD)
    request = NegativesRequest(
        micrographs=micrographs,
        candidates=run_.files.candidates,
        box_size=BOX,
        min_pickers=2,
        result=run_.files.negatives,
        mine_hard_negatives=True,
    )
    result = run(request, Progress())
    assert tuple(read_coordinates(run_.files.negatives)) == GOOD
    assert result.n_requested == 14 * len(GOOD)


def test_no_set_teaches_what_lies_on_them(tmp_path, micrographs):
    everywhere = {
        each.name: ScoredCoordinates.from_arrays([[50.0, 60.0], [90.0, 99.0]])
        for each in micrographs
    }
    shifted = {
        name: ScoredCoordinates.from_arrays(here.yx + 30)
        for name, here in everywhere.items()
    }
    write_coordinates(tmp_path / "particles.h5", everywhere)
    write_coordinates(tmp_path / "background.h5", shifted)
    request = TrainRequest(
        micrographs=micrographs,
        sources=(
            BoxSource("particles", tmp_path / "particles.h5", True),
            BoxSource("background", tmp_path / "background.h5", False),
        ),
        box_size=BOX,
        preprocessing=BoxPreprocessing(16),
        parameters=TrainingParameters(),
        dataset=tmp_path / "boxes.h5",
        model=tmp_path / "model",
    )
    rows = collect_coordinates(request, Role.TRAINING)
    assert {rows.micrographs[index] for index in rows.micrograph} == {*GOOD}
    assert rows.is_particle.sum() == (~rows.is_particle).sum() == 2 * len(GOOD)


def test_the_others_are_judged_as_without_them(tmp_path, micrographs):
    with_bad = Judged(tmp_path / "all", micrographs).select()
    without = Judged(tmp_path / "good", only_good(micrographs)).select()
    judged = with_bad.candidates.can_be_judged
    np.testing.assert_array_equal(with_bad.score[judged], without.score)
    assert np.isnan(with_bad.score[~judged]).all()
    assert str(with_bad.calibration) == str(without.calibration)  # NaN is NaN
    assert with_bad.threshold == without.threshold
    reason = with_bad.acceptance.reason
    np.testing.assert_array_equal(reason[judged], without.acceptance.reason)
    assert (reason[~judged] == Reason.MICROGRAPH).all()
    # The figures that are told are the same too, with their intervals.
    assert with_bad.summary.expected == without.summary.expected
    assert with_bad.summary.why == without.summary.why


def test_the_reason_is_told(tmp_path, micrographs):
    found = Judged(tmp_path / "run", micrographs).select()
    n_bad = int((~found.candidates.can_be_judged).sum())
    assert n_bad == 3 * 18
    assert f"; {n_bad} on bad micrographs." in found.summary.describe()
    assert found.summary.counts["micrograph"] == n_bad
    table = read_scores_csv(found.files.table)
    words = {
        word
        for word, name in zip(in_words(table.reason), table.micrograph, strict=True)
        if name in BAD
    }
    assert words == {"micrograph"}
    good_enough = int((found.score >= found.threshold).sum())
    assert found.summary.n_good_enough == good_enough


def test_the_networks_own_score_accepts_nothing_on_them_either(tmp_path, micrographs):
    found = Judged(tmp_path / "run", micrographs).select(seed=None)
    assert found.calibration is None
    bad = ~found.candidates.can_be_judged
    assert np.isnan(found.score[bad]).all() and np.isfinite(found.score[~bad]).all()
    assert (found.acceptance.reason[bad] == Reason.MICROGRAPH).all()
    assert found.accepted.any()


def test_votes_on_them_alone_are_not_fused(tmp_path, micrographs):
    run_ = Judged(tmp_path / "run", micrographs)
    table = replace(run_.candidates, bad_micrographs=tuple(e.name for e in micrographs))
    report = keep_fused(
        table,
        np.full(len(table), 0.4),
        seed=1,
        score=tmp_path / "score.npy",
        calibration=tmp_path / "calibration.json",
    )
    assert report is None and np.isnan(np.load(tmp_path / "score.npy")).all()
    with pytest.raises(FileNotFoundError):
        read_report(tmp_path / "calibration.json")


def test_a_table_of_an_early_version_has_no_bad_micrographs(tmp_path, micrographs):
    import h5py

    table = Judged(tmp_path / "run", micrographs).candidates
    write_candidates(tmp_path / "old.h5", table)
    with h5py.File(tmp_path / "old.h5", "r+") as file:
        del file["bad_micrographs"]
    assert read_candidates(tmp_path / "old.h5").bad_micrographs == ()
