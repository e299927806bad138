# SPDX-License-Identifier: GPL-3.0-or-later
"""Pickers whose votes are no evidence are named and counted once, others are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepconsensus_plugin.core.calibration import Evidence
from deepconsensus_plugin.core.calibration.independent_votes import (
    IndependentVotes,
    describe_merged,
)
from deepconsensus_plugin.core.consensus import dependence
from deepconsensus_plugin.core.consensus.dependence import (
    find_dependences,
    group_votes,
)
from deepconsensus_plugin.core.consensus.shared_picks import some_common_micrographs
from deepconsensus_plugin.core.io.tables import read_candidates, write_candidates
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules, combine_picks
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates

BOX, SIDE = 40, 2000
NAMES = ("m1.mrc", "m2.mrc")
SHAPES = dict.fromkeys(NAMES, (SIDE, SIDE))


def places(n: int, seed: int) -> dict[str, np.ndarray]:
    """Return places that are two boxes apart or more, n on each micrograph."""
    rng = np.random.default_rng(seed)
    cells = [
        rng.permutation(SIDE // (2 * BOX) * (SIDE // (2 * BOX)))[:n] for _ in NAMES
    ]
    per_row = SIDE // (2 * BOX)
    return {
        name: 2 * BOX * np.column_stack(np.divmod(cell, per_row)) + BOX / 2
        for name, cell in zip(NAMES, cells, strict=True)
    }


PARTICLES = places(200, seed=1)


def picker(
    name: str, seed: int, *, recall: float = 0.97, off: float = 2.0, n_false: int = 5
) -> PickerPicks:
    """Return picks of particles, `off` pixels from their centres, and false ones."""
    rng = np.random.default_rng(seed)
    coordinates = {}
    for micrograph, yx in PARTICLES.items():
        found = yx[rng.random(len(yx)) < recall]
        false = rng.uniform(0, SIDE, (n_false, 2))
        found = np.concatenate([found + rng.normal(0, off, found.shape), false])
        coordinates[micrograph] = ScoredCoordinates.from_arrays(found)
    return PickerPicks(name, BOX, coordinates)


def moved(picks: PickerPicks, name: str, change) -> PickerPicks:
    moved_picks = {
        micrograph: ScoredCoordinates.from_arrays(change(here.yx))
        for micrograph, here in picks.coordinates.items()
    }
    return PickerPicks(name, BOX, moved_picks)


def dependent(*pickers: PickerPicks) -> dict[str, str]:
    found = find_dependences(pickers, box_size=BOX, radius_px=0.3 * BOX)
    return {each.picker: each.other for each in found}


A, B, C = picker("a", 1), picker("b", 2), picker("c", 3)


def test_good_pickers_on_easy_micrographs_are_independent():
    assert dependent(A, B) == dependent(A, B, C) == {}
    exact = [picker(name, i, recall=0.99, n_false=2) for i, name in enumerate("xyz")]
    assert dependent(*exact) == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda yx: yx,
        np.round,
        lambda yx: yx + 3.0,  # the same program with another idea of the centre
        lambda yx: yx[: len(yx) // 2],  # a higher threshold
        lambda yx: np.concatenate([yx[:180], yx[180:] + 60]),  # nine tenths copied
    ],
    ids=["copy", "rounded", "shifted", "half", "most"],
)
def test_a_copy_is_named_and_counted_with_its_original(change):
    assert dependent(A, B, moved(A, "z", change)) == {"z": "a"}


def test_two_versions_of_a_program_share_what_nobody_else_confirms():
    rng = np.random.default_rng(5)
    many = picker("many", 1, n_false=40)
    version = moved(many, "version", lambda yx: yx[:-3] + rng.normal(0, 2, (1, 2)))
    other = moved(
        many,
        "other",
        lambda yx: (yx + rng.normal(0, 0.9, yx.shape))[rng.random(len(yx)) < 0.99],
    )
    assert set(dependent(many, other)) == {"other"}
    assert set(dependent(many, other, B)) == {"other"}
    assert set(dependent(many, version, B)) == {"version"}


def test_a_picker_that_takes_everything_is_independent():
    rng = np.random.default_rng(6)
    everything = moved(
        A,
        "z",
        lambda yx: np.concatenate(
            [yx + rng.normal(0, 2, yx.shape), rng.uniform(0, SIDE, (300, 2))]
        ),
    )
    assert dependent(A, everything) == {}


def test_a_picker_is_not_independent_of_those_that_it_was_trained_on():
    taught = replace(C, trained_on=("a", "b"))
    assert dependent(A, B, taught) in ({"c": "a"}, {"c": "b"})
    assert dependent(A, taught) == {"c": "a"}
    assert dependent(taught, picker("d", 8)) == {}  # its teachers are not there


def test_a_selection_of_candidates_is_no_picker():
    """The output of an earlier consensus, as a third picker."""
    first, second = picker("first", 1), picker("second", 2)
    found = combine_picks([first, second], ConsensusRules(), shapes=SHAPES).candidates
    chosen = found.take(np.arange(len(found)) % 10 > 0).coordinates()
    earlier = PickerPicks("earlier", BOX, chosen)
    [dependence] = find_dependences(
        [first, second, earlier], box_size=BOX, radius_px=0.3 * BOX
    )
    assert dependence.picker == "earlier"
    assert "centres of candidates of the others" in dependence.describe()


def test_few_picks_are_not_judged():
    few = moved(A, "z", lambda yx: yx[:20])
    assert dependent(few, moved(few, "y", lambda yx: yx)) == {}


def test_votes_are_merged_and_said(tmp_path):
    twin = moved(A, "z", lambda yx: np.concatenate([yx[:150], yx[150:] + 60]))
    found = combine_picks([A, B, twin], ConsensusRules(), shapes=SHAPES)
    candidates = found.candidates
    assert candidates.vote_of == ("a", "b", "a")
    assert found.report.sentences()[0].startswith(
        "WARNING: z is no independent picker: "
    )
    votes = IndependentVotes.of(candidates)
    assert votes.names == ("a with z", "b")
    merged = candidates.found[:, 0] | candidates.found[:, 2]
    np.testing.assert_array_equal(votes.found[:, 0], merged)
    evidence = Evidence.of_candidates(candidates)
    assert evidence.found.shape[1] == 2
    assert evidence.scores.shape[1] == 3  # the scores of both stay
    assert describe_merged(candidates) == [
        "a and z count as one picker, since they are not independent."
    ]
    write_candidates(tmp_path / "candidates.h5", candidates)
    assert read_candidates(tmp_path / "candidates.h5").vote_of == candidates.vote_of


def test_where_one_picker_remains_votes_still_order():
    candidates = combine_picks(
        [A, moved(A, "z", np.round)], ConsensusRules(), shapes=SHAPES
    ).candidates
    assert len(candidates.voters) == 1
    assert Evidence.of_candidates(candidates).found.shape[1] == 2


def test_groups_are_those_of_the_first_in_a_chain():
    found = find_dependences(
        [A, moved(A, "y", lambda yx: yx[:150]), moved(A, "z", lambda yx: yx[:100])],
        box_size=BOX,
        radius_px=12,
    )
    assert group_votes(("a", "y", "z"), found) == ("a", "a", "a")
    assert group_votes(("a", "y", "z"), []) == ()


def test_some_micrographs_tell_as_much_as_all(monkeypatch):
    """Only those that both pickers were run on can."""
    rng = np.random.default_rng(4)
    names = [f"m{number:03d}.mrc" for number in range(60)]
    first = {name: rng.uniform(0, SIDE, (100, 2)) for name in names}
    copied = {name: first[name] + rng.normal(0, 0.1, (100, 2)) for name in names[40:]}
    pickers = [
        PickerPicks(
            name, BOX, {n: ScoredCoordinates.from_arrays(x) for n, x in picks.items()}
        )
        for name, picks in (("one", first), ("copy", copied))
    ]
    monkeypatch.setattr(dependence, "_MOST_PICKS", 500)
    looked_at = some_common_micrographs(*pickers[::-1], n_picks=500)
    assert len(looked_at) == 5
    assert looked_at[0] == names[40]
    assert looked_at[-1] == names[-1]
    (found,) = find_dependences(pickers, box_size=BOX, radius_px=0.3 * BOX)
    assert (found.picker, found.other) == ("copy", "one")
