# SPDX-License-Identifier: GPL-3.0-or-later
"""Random marks of accepted candidates: the share of particles, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.marks.matching import Labels
from deepconsensus_plugin.core.metrics.proportions import proportion_interval
from deepconsensus_plugin.core.types import BoolArray


@dataclass(frozen=True)
class RandomSample:
    """Random accepted candidates that a person looked at.

    Parameters
    ----------
    n : int
        Their number.
    n_good : int
        Those that were marked good.
    """

    n: int
    n_good: int

    @classmethod
    def of(cls, labels: Labels, accepted: BoolArray) -> RandomSample:
        """Return the random marks of what is accepted now.

        Those drawn from an earlier choice are as good a sample of what both accept.
        """
        counted = labels.is_random & accepted[labels.rows]
        return cls(int(counted.sum()), int(labels.is_particle[counted].sum()))

    def describe(self) -> str:
        """Return the share as a sentence; nothing assumed but that it was random."""
        if not self.n:
            return "None of the accepted were looked at in random order."
        low, high = proportion_interval(self.n_good, self.n)
        return (
            f"You looked at {self.n} random accepted: {self.n_good} good, "
            f"{100 * low:.0f} – {100 * high:.0f} % (95 % interval)."
        )
