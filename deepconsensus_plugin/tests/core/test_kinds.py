# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of candidates in words, counted, and in the sentence of summaries."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.acceptance.accept import accept
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.summary import read_summary, write_summary
from deepconsensus_plugin.core.kinds import (
    Kind,
    count_kinds,
    describe_kinds,
    kinds_in_words,
    read_kinds,
)


def test_words_are_read_as_they_are_written():
    codes = np.array([kind.value for kind in Kind])
    words = kinds_in_words(codes)
    assert len({*words}) == len(Kind) and words[0] == ""
    np.testing.assert_array_equal(read_kinds(words), codes)
    assert read_kinds([None, ""]).tolist() == [Kind.UNKNOWN, Kind.UNKNOWN]
    with pytest.raises(ValueError, match=r"expected one of touching, .* received snow"):
        read_kinds(["particle", "snow"])


def test_kinds_are_told_the_most_frequent_first():
    codes = [Kind.UNLIKE] * 12 + [Kind.TOUCHING] * 4 + [Kind.PARTIAL] * 9
    [told] = describe_kinds(count_kinds(np.array([*codes, Kind.UNKNOWN])))
    assert told == (
        "Candidates rejected for their score (26) look like noise or dirt (12), "
        "parts of particles (9) and touching particles (4); 1 not averaged."
    )
    [told] = describe_kinds(count_kinds(np.array([Kind.PARTIAL])))
    assert told.endswith("(1) look like parts of particles (1).")


@pytest.mark.parametrize("codes", [[], [Kind.UNKNOWN] * 3])
def test_nothing_is_told_without_averages(codes):
    assert count_kinds(np.array(codes, dtype=int)) == {}
    assert describe_kinds({}) == []


def test_a_summary_counts_what_was_rejected_for_its_score(tmp_path):
    score = np.array([0.9, 0.8, 0.2, 0.1, np.nan])
    kind = np.array(
        [Kind.PARTICLE, Kind.TOUCHING, Kind.UNLIKE, Kind.UNLIKE, Kind.PARTIAL]
    )
    accepted = accept(AcceptanceRule(), score, are_probabilities=False)
    summary = accepted.summarise(kind=kind)
    assert summary.kinds["noise or dirt"] == sum(summary.kinds.values()) == 2
    assert summary.sentences()[1:] == [
        "Candidates rejected for their score (2) look like noise or dirt (2)."
    ]
    write_summary(tmp_path / "acceptance.json", summary)
    assert read_summary(tmp_path / "acceptance.json").kinds == summary.kinds
    assert len(accepted.summarise().sentences()) == 1
