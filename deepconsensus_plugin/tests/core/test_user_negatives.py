# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's negatives take the place of the particles that were sorted out."""

from __future__ import annotations

from deepconsensus_plugin.core.negatives.hard import NegativeKind
from deepconsensus_plugin.core.negatives.user import with_user_negatives
from deepconsensus_plugin.core.types import ScoredCoordinates

RANDOM, OUT = NegativeKind.RANDOM.value, NegativeKind.SORTED_OUT.value
PLACE, USER = NegativeKind.CONTAMINATION.value, NegativeKind.USER.value


def test_sorted_out_go_and_given_come_last():
    drawn = {
        "b": ScoredCoordinates.from_arrays([[1, 2], [3, 4], [5, 6]], [OUT, RANDOM, 3]),
        "a": ScoredCoordinates.from_arrays([]),
    }
    given = {
        "c": ScoredCoordinates.from_arrays([[9, 9]], [0.7]),
        "b": ScoredCoordinates.from_arrays([[7, 8]]),
    }
    joined = with_user_negatives(drawn, given)
    assert list(joined) == ["b", "a", "c"]
    assert joined["b"].yx.tolist() == [[3, 4], [5, 6], [7, 8]]
    assert joined["b"].scores.tolist() == [RANDOM, PLACE, USER]
    assert joined["c"].scores.tolist() == [USER]
    assert len(joined["a"]) == 0
    assert drawn["b"].scores.tolist() == [OUT, RANDOM, PLACE]


def test_nothing_given_still_drops_the_sorted_out():
    drawn = {"a": ScoredCoordinates.from_arrays([[1, 1]], [OUT])}
    assert len(with_user_negatives(drawn, {})["a"]) == 0
