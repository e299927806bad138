# SPDX-License-Identifier: GPL-3.0-or-later
"""REPIC's rule on cases worked out by hand, and against trying every set of cliques."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from benchmarks.consensus.repic import (
    Boxes,
    choose_cliques,
    find_cliques,
    find_neighbours,
    repic_consensus,
)
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates


def boxes_of(*pickers, confidence=None):
    """Return boxes at the given centres, in boxes; one list a picker."""
    yx = np.array([place for places in pickers for place in places], dtype=float)
    owner = np.repeat(np.arange(len(pickers)), [len(places) for places in pickers])
    ones = np.ones(len(yx))
    return Boxes(yx, owner, ones if confidence is None else np.array(confidence))


def test_overlap_is_intersection_over_union():
    assert boxes_of([(0, 0)], [(0.5, 0)]).overlap(0, 1) == pytest.approx(1 / 3)
    assert boxes_of([(0, 0)], [(1.5, 1.5)]).overlap(0, 1) == 0


def test_a_clique_needs_all_pairs():
    # The outer two are 0.6 apart: 0.25 of their union.
    row = boxes_of([(0, 0)], [(0, 0.3)], [(0, 0.6)])

    assert find_cliques(row, find_neighbours(row)) == [(0, 1), (1, 2)]


def test_all_pickers_or_none_is_the_published_rule():
    found_by_three = [(0, 0)], [(0, 0.1)], [(0.1, 0)]
    found_by_two = [(5, 5)], [(5, 5)], []
    boxes = boxes_of(
        *(a + b for a, b in zip(found_by_three, found_by_two, strict=True))
    )

    for least, n_expected in ((3, 1), (2, 2)):
        places, _ = choose_cliques(boxes, min_pickers=least)
        assert len(places) == n_expected


def test_four_boxes_of_one_particle_are_not_two_pairs():
    boxes = boxes_of(*[[(0, 0.01 * shift)] for shift in range(4)])

    assert len(choose_cliques(boxes, min_pickers=2)[0]) == 1


def test_the_box_between_the_others_stands_for_them():
    boxes = boxes_of([(0, 0)], [(0, 0.2)], [(0, 0.1)])
    places, weights = choose_cliques(boxes, min_pickers=3)

    assert places.tolist() == [2]
    assert weights[0] == pytest.approx(0.9 / 1.1)


def test_chosen_cliques_weigh_as_much_as_any_that_share_no_box():
    rng = np.random.default_rng(0)
    for _ in range(5):
        boxes = boxes_of(
            *rng.uniform(0, 1.5, (3, 3, 2)), confidence=rng.uniform(0.1, 1, 9)
        )
        cliques = find_cliques(boxes, find_neighbours(boxes))
        triples = [clique for clique in cliques if len(clique) == 3]
        weight = {
            clique: choose_cliques(
                Boxes(boxes.yx[[*clique]], np.arange(3), boxes.confidence[[*clique]]),
                min_pickers=3,
            )[1].sum()
            for clique in triples
        }
        best = max(
            sum(weight[clique] for clique in some)
            for n in range(4)
            for some in combinations(triples, n)
            if len(set().union(*some)) == 3 * n
        )
        assert choose_cliques(boxes, min_pickers=3)[1].sum() == pytest.approx(best)


def test_only_micrographs_that_all_observed_have_a_consensus():
    here = ScoredCoordinates.from_arrays([[50.0, 50.0]], [3.0])
    nothing = ScoredCoordinates.from_arrays([])
    pickers = [
        PickerPicks("a", 100, {"1.mrc": here, "2.mrc": here, "3.mrc": here}),
        PickerPicks("b", 100, {"1.mrc": here, "2.mrc": nothing}),
    ]

    consensus = repic_consensus(pickers, box_size=100, min_pickers=2)

    assert {name: len(found) for name, found in consensus.items()} == {
        "1.mrc": 1,
        "2.mrc": 0,
    }
    np.testing.assert_allclose(consensus["1.mrc"].yx, [[50, 50]])


def test_a_clique_has_at_least_two_boxes():
    with pytest.raises(ValueError, match="min_pickers must be 2 to 1, received 1"):
        repic_consensus([PickerPicks("a", 9, {})], box_size=9, min_pickers=1)
