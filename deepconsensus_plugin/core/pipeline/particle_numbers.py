# SPDX-License-Identifier: GPL-3.0-or-later
"""Number of particles of a sample that a model was not trained on, told in two ways.

The populations of the model's own scores tell it, and the pickers without training
count. The first may see only the clearest particles, the second may count what is no
particle. What the scores have in excess of the null is a third, a lower bound: the null
holds the power of the particles, too.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

_DISAGREEMENT = 1.5
"""Ratio of two estimates above which they differ: by more than half."""


class NumberBasis(enum.Enum):
    """Estimate of the number of particles that is followed."""

    SCORES = "scores"
    COUNT = "count"
    BETWEEN = "between"
    """The geometric mean of both."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ParticleNumbers:
    """Estimates of the number of particles on all micrographs.

    Parameters
    ----------
    by_scores : float, optional
        Expected number by the mixture of the model's scores; None where they do not
        separate.
    by_count : float, optional
        Number of picks of the pickers without training; None where their scores do not
        separate.
    in_excess : float
        Maxima in excess of the null: at least as many are particles.
    """

    by_scores: float | None
    by_count: float | None
    in_excess: float = 0.0

    @property
    def differ(self) -> bool:
        """Whether both are known and differ by more than half."""
        if not self.by_scores or not self.by_count:
            return False
        return abs(math.log(self.by_scores / self.by_count)) > math.log(_DISAGREEMENT)

    @property
    def basis(self) -> NumberBasis:
        """Estimate that is followed.

        Where both agree it is the scores', which also tell the threshold. Where they
        differ, one that is below the excess is wrong; if neither is, both are equally
        likely.
        """
        if self.by_scores is None or self.by_count is None:
            if self.by_scores is not None:
                return NumberBasis.SCORES
            known = self.by_count is not None
            return NumberBasis.COUNT if known else NumberBasis.UNKNOWN
        if not self.differ:
            return NumberBasis.SCORES
        if self.by_scores < self.in_excess <= self.by_count:
            return NumberBasis.COUNT
        if self.by_count < self.in_excess <= self.by_scores:
            return NumberBasis.SCORES
        return NumberBasis.BETWEEN

    @property
    def number(self) -> float | None:
        """Number that follows: the one followed, or the geometric mean of both."""
        if self.basis is NumberBasis.UNKNOWN:
            return None
        both = self.by_scores is not None and self.by_count is not None
        if both and (self.basis is NumberBasis.BETWEEN or not self.differ):
            return math.sqrt((self.by_scores or 0) * (self.by_count or 0))
        return self.by_count if self.basis is NumberBasis.COUNT else self.by_scores

    def describe(self) -> str:
        """Return one sentence: the number, where it comes from, and a disagreement."""
        if self.number is None:
            return (
                "The number of particles is unknown: neither the model's scores nor "
                "those of pickers without training separate particles from background."
            )
        parts = [
            f"{name} {number:.0f}"
            for name, number in (
                ("by the model's scores", self.by_scores),
                ("by pickers without training", self.by_count),
            )
            if number is not None
        ]
        text = f"About {self.number:.0f} particles: {', '.join(parts)}"
        if not self.differ:
            return f"{text}."
        return (
            f"WARNING: {text}. These differ by more than half, so look at the picks "
            "before you believe either."
        )
