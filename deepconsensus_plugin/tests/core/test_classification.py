# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of labelled scores, against scikit-learn and slow loops."""

from __future__ import annotations

import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from deepconsensus_plugin.core.metrics.classification import (
    average_precision,
    classification_metrics,
    count_at_thresholds,
    matthews_correlation,
)

# Few distinct scores, so that ties are the rule.
labelled = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])),
    min_size=2,
    max_size=20,
)


def test_a_worked_case():
    labels = [1, 1, 0, 1, 0, 1, 0, 0]
    scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    found = classification_metrics(labels, scores)
    assert (found.n_positives, found.n_negatives) == (4, 4)
    assert found.roc_auc == pytest.approx(13 / 16)
    assert found.pr_auc == pytest.approx((1 + 1 + 3 / 4 + 4 / 6) / 4)
    # The first two and the first six have the same, largest MCC: the two win.
    assert found.threshold == 0.8
    assert found.mcc == pytest.approx(1 / math.sqrt(3))
    assert found.accuracy == pytest.approx(6 / 8)
    assert found.precision == 1.0
    assert found.recall == pytest.approx(2 / 4)


def test_perfect_scores():
    found = classification_metrics([True, False, True], [2.0, -1.0, 3.0])
    assert astuple(found) == (2, 1, 1, 1, 2.0, 1, 1, 1, 1)


def test_equal_scores_tell_nothing():
    found = classification_metrics([1, 0, 1, 0], [0.5] * 4)
    assert (found.roc_auc, found.pr_auc, found.mcc) == (0.5, 0.5, 0.0)


@settings(deadline=None, max_examples=60)
@given(labelled.filter(lambda rows: len({label for label, _ in rows}) == 2))
def test_equals_scikit_learn(rows):
    labels, scores = map(np.array, zip(*rows, strict=True))
    found = classification_metrics(labels, scores)
    assert found.roc_auc == pytest.approx(reference.roc_auc_score(labels, scores))
    assert found.pr_auc == pytest.approx(
        reference.average_precision_score(labels, scores)
    )
    by_threshold = [
        (reference.matthews_corrcoef(labels, scores >= value), value)
        for value in np.unique(scores)
    ]
    assert found.mcc == pytest.approx(max(by_threshold)[0])
    accepted = scores >= found.threshold
    assert found.mcc == pytest.approx(reference.matthews_corrcoef(labels, accepted))
    assert found.accuracy == pytest.approx(reference.accuracy_score(labels, accepted))
    assert found.precision == pytest.approx(reference.precision_score(labels, accepted))
    assert found.recall == pytest.approx(reference.recall_score(labels, accepted))


def test_positives_that_were_never_scored_lower_the_average_precision():
    counts = count_at_thresholds(np.array([True, False, True]), np.array([3.0, 2, 1]))
    assert average_precision(counts, 4) == pytest.approx((1 + 2 / 3) / 4)
    assert math.isnan(average_precision(counts, 0))


@pytest.mark.parametrize("labels", [[], [0, 0], [1]])
def test_one_class_has_no_figures(labels):
    found = classification_metrics(labels, np.zeros(len(labels)))
    assert all(math.isnan(value) for value in astuple(found)[2:])


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1], [0.5, np.nan], "finite"),
        ([0, 1], [0.5], "shape"),
        ([0, 2], [0.5, 0.6], "0 or 1"),
        ([0, np.nan], [0.5, 0.6], "0 or 1"),
    ],
)
def test_bad_input_is_refused(labels, scores, message):
    with pytest.raises(ValueError, match=message):
        classification_metrics(labels, scores)


def test_mcc_of_a_worked_table():
    # 90 of 100 positives and 10 of 200 negatives accepted.
    tp, fp, fn, tn = 90, 10, 10, 190
    expected = (tp * tn - fp * fn) / math.sqrt(
        (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    )
    found = matthews_correlation(
        np.array([90.0, 0.0]), np.array([100.0, 0.0]), 100, 300
    )
    assert found == pytest.approx([expected, 0.0])
