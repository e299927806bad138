# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected figures are told where there are grounds for them, and else withheld."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from deepconsensus_plugin.core.acceptance.accept import accept
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.calibration import Evidence, fuse
from deepconsensus_plugin.core.calibration.grounds import (
    FEWEST_AGREED,
    LEAST_SEPARATION,
    Grounds,
    find_objection,
)
from deepconsensus_plugin.core.calibration.network_grounds import (
    FEWEST_HELD_OUT,
    NetworkGrounds,
    Separation,
    describe_held_out,
)
from deepconsensus_plugin.core.calibration.report import (
    EstimatedFigure,
    read_report,
    write_report,
)
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    ThresholdMode,
    ThresholdRule,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.errors import WithheldError
from deepconsensus_plugin.core.null_control.comparison import NullComparison
from deepconsensus_plugin.core.pipeline.fuse import fuse_scores
from deepconsensus_plugin.core.pipeline.fusion_grounds import FusionContext

SIDE = 1000
SHAPES = {f"{i}.mrc": (SIDE, SIDE) for i in range(6)}
PRECISE = AcceptanceRule(ThresholdRule(ThresholdMode.MIN_PRECISION, min_precision=0.9))


@dataclass(frozen=True)
class Null:
    scorer: str
    has_evidence: bool


def drawn(n: int = 1500, k: int = 3) -> tuple[Candidates, np.ndarray]:
    """Return candidates, most of them particles, and a score that tells them apart."""
    rng = np.random.default_rng(2)
    is_particle = rng.random(n) < 0.6
    found = rng.random((n, k)) < np.where(is_particle, 0.8, 0.1)[:, np.newaxis]
    seen = found.any(axis=1)
    found, m = found[seen], len(SHAPES)
    yx = rng.uniform(20, SIDE - 20, (len(found), 2))
    candidates = Candidates(
        micrographs=tuple(SHAPES),
        pickers=tuple("abc"[:k]),
        observed=np.ones((m, k), bool),
        micrograph_index=np.sort(rng.integers(0, m, len(found))),
        yx=yx,
        found=found,
        picker_scores=np.full(found.shape, np.nan),
        agreement=found.sum(axis=1),
        agreed_yx=yx,
    )
    return candidates, (rng.normal(size=n) + 2.5 * is_particle)[seen]


CANDIDATES, SCORE = drawn()
NETWORK = NetworkGrounds(
    n_learnt=500,
    held_out=Separation(60, 70, 0.9),
    wrong_labels=0.02,
    candidates=Separation(60, 400, 0.8),
)
AMPLE = Grounds(CANDIDATES, NETWORK, SHAPES, [Null("a", False), Null("b", True)], 0.2)


def test_ample_evidence_meets_no_objection():
    assert find_objection(AMPLE) is None
    assert find_objection(Grounds(CANDIDATES)) is None  # nothing else is known


FEW = CANDIDATES.take(np.flatnonzero(CANDIDATES.is_agreed(2))[: FEWEST_AGREED - 1])
HALF = replace(CANDIDATES, yx=CANDIDATES.yx / 2 + 300)
PAIR = drawn(k=2)[0]
TWINS = replace(CANDIDATES, vote_of=("a", "a", "a"))
CHANCE = Separation(60, 70, 0.59)


@pytest.mark.parametrize(
    ("grounds", "words"),
    [
        (replace(AMPLE, nulls=[Null("a", False)]), "no evidence for particles"),
        (replace(AMPLE, candidates=HALF), "within 48% of the rows and 48%"),
        (replace(AMPLE, candidates=PAIR), "and there are two: add another kind"),
        (replace(AMPLE, separation=0.19), "No score, of the network or of a picker"),
        (replace(AMPLE, candidates=TWINS), "a, b, c count as one"),
        (replace(AMPLE, candidates=FEW), "agree on 99 candidates"),
        (
            replace(AMPLE, network=replace(NETWORK, n_learnt=99)),
            "trained on 99 boxes of particles",
        ),
        (
            replace(AMPLE, network=replace(NETWORK, held_out=Separation(49, 90, 1.0))),
            "validated on 49 \\+ 90 held-out boxes",
        ),
        (
            replace(AMPLE, network=replace(NETWORK, held_out=CHANCE)),
            "no better than chance on held-out boxes \\(ROC-AUC 0.59\\)",
        ),
        (
            replace(AMPLE, network=replace(NETWORK, candidates=CHANCE)),
            "does not tell candidates that pickers agree on from others",
        ),
        (
            replace(AMPLE, network=replace(NETWORK, wrong_labels=0.37)),
            "37% of the network's training labels",
        ),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_each_lack_of_evidence_is_named_in_one_sentence(grounds, words):
    why = find_objection(grounds)

    assert why is not None
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(why)
    assert why.endswith((".", "?"))
    assert ". " not in why.replace(" ROC-AUC .", "")


def test_averages_that_show_particles_stand_for_a_third_picker():
    pair = replace(AMPLE, candidates=PAIR)
    assert find_objection(replace(pair, share_resolved=0.9)) is None
    why = find_objection(replace(pair, share_resolved=0.27))
    assert why is not None
    assert "27% of their particles in averages" in why
    assert find_objection(replace(AMPLE, candidates=TWINS, share_resolved=0.9))


def test_an_area_is_chance_within_the_spread_of_ranks():
    rng = np.random.default_rng(0)
    n = FEWEST_HELD_OUT
    is_particle = np.arange(2 * n) < n
    areas = [
        Separation.of(is_particle, rng.normal(size=2 * n)).is_chance for _ in range(400)
    ]
    assert 0.95 < np.mean(areas) <= 1  # one-sided: 2.5 % are above

    assert not Separation.of(
        is_particle, is_particle + rng.normal(size=2 * n)
    ).is_chance
    assert Separation(0, 30, float("nan")).is_chance


def test_figures_on_few_boxes_are_not_shown():
    assert describe_held_out(10, 30) == "too few held-out boxes (10 + 30) to tell"
    assert describe_held_out(20, 20) is None


def test_what_is_withheld_is_nowhere_in_the_report(tmp_path):
    few = np.arange(len(CANDIDATES)) < 100
    probability, report = fuse_scores(CANDIDATES.take(few), SCORE[few], seed=1)

    assert "agree on" in report.why_withheld
    assert np.isfinite(probability).all()
    write_report(tmp_path / "calibration.json", report)
    again = read_report(tmp_path / "calibration.json")
    assert again.why_withheld == report.why_withheld
    assert again.precision == again.recall == again.thresholds == []
    assert np.isnan([again.n_particles, again.n_missed.value]).all()
    assert np.isnan([each.precision.value for each in again.pickers]).all()
    assert again.describe_pickers() == []
    assert "cannot be told" in again.describe_missed()

    told = accept(AcceptanceRule(AUTOMATIC), probability, report=again).summarise(again)
    assert told.expected is None
    assert told.n_accepted > 0  # the selection works all the same
    assert told.sentences()[-1].endswith(report.why_withheld)
    with pytest.raises(WithheldError, match=r"min_precision.*agree on"):
        accept(PRECISE, probability, report=again)


def test_what_is_told_is_told_as_before():
    probability, report = fuse_scores(CANDIDATES, SCORE, seed=1)

    assert report.why_withheld is None
    assert len(report.describe_pickers()) == 3
    accepted = accept(PRECISE, probability, report=report)
    told = accepted.summarise(report)
    assert told.why is None
    assert told.expected.precision.value >= 0.9


def test_scores_that_tell_nothing_are_known_and_none_are_no_objection():
    rng = np.random.default_rng(3)
    noise = rng.normal(size=len(SCORE))
    nothing = np.full(len(SCORE), np.nan)
    separations = [
        fuse(
            Evidence.of_candidates(CANDIDATES, score),
            rng=np.random.default_rng(0),
            n_resamples=0,
        ).separation
        for score in (SCORE, noise, nothing)
    ]
    assert separations[0] > 1
    assert 0 <= separations[1] < LEAST_SEPARATION
    assert separations[2] is None


def test_the_null_control_of_a_run_is_read_where_there_is_one(tmp_path):
    path = tmp_path / "null.json"
    assert not FusionContext.of((), None, path).nulls
    unknown = EstimatedFigure(math.nan, math.nan, math.nan)
    NullComparison("general model", 4, 10, 11.0, unknown, False, []).write(path)
    context = replace(FusionContext.of((), None, path), shapes=SHAPES)

    why = find_objection(context.grounds(CANDIDATES, SCORE))

    assert "hold none, give as much (general model)" in why
