# SPDX-License-Identifier: GPL-3.0-or-later
"""Grounds that a network gives: what it tells apart that it did not learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.metrics.classification import (
    area_under_roc,
    count_at_thresholds,
)
from deepconsensus_plugin.core.types import BoolArray, FloatArray

_TWO_SIDED_95 = 1.96

FEWEST_HELD_OUT = 50
"""Fewest boxes of each kind that the networks held out: what one network holds out of
the usual minimum of 500 training particles. ROC-AUC by chance is then .5 ± .11."""

FEWEST_SHOWN = 20
"""Fewest held-out boxes of each kind on which a figure of a network is shown. By
chance, ROC-AUC is then .5 ± .18; on fewer, it often is 1.000."""

FEWEST_LEARNT = 100
"""Fewest boxes of particles to learn from, as many as pickers must agree on."""

MOST_WRONG_LABELS = 0.15
"""Largest share of labels of either kind that may look wrong. On real picks it is .03
at most; where many are wrong, agreement is no sign of a particle."""


@dataclass(frozen=True)
class Separation:
    """Separation of two samples by a score.

    Parameters
    ----------
    n_positives, n_negatives : int
        Sizes of the samples.
    area : float
        ROC-AUC; NaN if a sample is empty.
    """

    n_positives: int
    n_negatives: int
    area: float

    @classmethod
    def of(cls, is_positive: BoolArray, score: FloatArray) -> Separation:
        """Return how well a score, finite, tells positives from negatives."""
        area = area_under_roc(count_at_thresholds(is_positive, score))
        n_positives = int(is_positive.sum())
        return cls(n_positives, len(is_positive) - n_positives, area)

    @property
    def is_chance(self) -> bool:
        """Whether a score that tells nothing gives such an area, at 95 %.

        The standard deviation is that of the rank sum (Mann and Whitney, 1947).
        """
        n, m = self.n_positives, self.n_negatives
        if not n or not m:
            return True
        deviation = float(np.sqrt((n + m + 1) / (12 * n * m)))
        return not self.area > 0.5 + _TWO_SIDED_95 * deviation

    @property
    def smaller(self) -> int:
        """Size of the smaller sample."""
        return min(self.n_positives, self.n_negatives)


@dataclass(frozen=True)
class NetworkGrounds:
    """Knowledge of an ensemble beside its scores.

    Parameters
    ----------
    n_learnt : int
        Boxes of particles that it was trained on.
    held_out : Separation
        Particles from background, boxes that the networks did not learn from.
    wrong_labels : float
        Expected share of wrong labels of particles or of background, the larger one.
    candidates : Separation, optional
        Candidates that pickers agree on, none of which it was trained on, from the
        others. None where there are too few of a kind.
    """

    n_learnt: int
    held_out: Separation
    wrong_labels: float = 0.0
    candidates: Separation | None = None


def describe_held_out(n_positives: int, n_negatives: int) -> str | None:
    """Return that there are too few boxes to show a figure; None if enough."""
    if min(n_positives, n_negatives) >= FEWEST_SHOWN:
        return None
    return f"too few held-out boxes ({n_positives} + {n_negatives}) to tell"


def object_to_network(network: NetworkGrounds) -> str | None:
    """Return why a network is no ground of expectations; None if it may be one."""
    held_out, candidates = network.held_out, network.candidates
    if network.n_learnt < FEWEST_LEARNT:
        return (
            f"The network was trained on {network.n_learnt} boxes of particles, and at "
            f"least {FEWEST_LEARNT} are needed: add micrographs."
        )
    if network.wrong_labels > MOST_WRONG_LABELS:
        return (
            f"{network.wrong_labels:.0%} of the network's training labels of one kind "
            "look wrong: agreed picks may be no particles, or the background may be."
        )
    if held_out.smaller < FEWEST_HELD_OUT:
        return (
            "How good the network is cannot be told: it was validated on "
            f"{held_out.n_positives} + {held_out.n_negatives} held-out boxes, and "
            f"{FEWEST_HELD_OUT} + {FEWEST_HELD_OUT} are needed."
        )
    if held_out.is_chance:
        return (
            "The network is no better than chance on held-out boxes (ROC-AUC "
            f"{held_out.area:.2f}): are there particles at the agreed picks?"
        )
    if candidates is not None and candidates.is_chance:
        return (
            "The network does not tell candidates that pickers agree on from others "
            f"(ROC-AUC {candidates.area:.2f}): it does not confirm their agreement."
        )
    return None
