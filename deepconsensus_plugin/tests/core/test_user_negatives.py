# SPDX-License-Identifier: GPL-3.0-or-later
"""User's negatives beside those that were drawn."""

from __future__ import annotations

from deepconsensus_plugin.core.negatives.hard import NegativeKind
from deepconsensus_plugin.core.negatives.user import with_user_negatives
from deepconsensus_plugin.core.types import ScoredCoordinates

RANDOM, USER = NegativeKind.RANDOM.value, NegativeKind.USER.value
PLACE = NegativeKind.CONTAMINATION.value


def test_given_come_last():
    drawn = {
        "b": ScoredCoordinates.from_arrays([[3, 4], [5, 6]], [RANDOM, PLACE]),
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
    assert len(drawn["b"]) == 2
