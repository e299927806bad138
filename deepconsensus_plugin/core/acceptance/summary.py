# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of an acceptance: numbers, as the sentences of every text, and as a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.acceptance.expectation import (
    ExpectedFigures,
    describe_withheld,
)
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.kinds import describe_kinds
from deepconsensus_plugin.core.reasons import BY_SCORE, UNJUDGED, Reason
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.types import IntArray


@dataclass(frozen=True)
class AcceptanceSummary:
    """Summary of what is accepted.

    Parameters
    ----------
    counts : dict of str to int
        Number of candidates by the word of their `Reason`, ``accepted`` without one.
    threshold : float
        Lowest score that is good enough; not finite where none is.
    rule : AcceptanceRule, optional
        The rule; None where it is not known.
    expected : ExpectedFigures, optional
        What is expected of what is kept; None where scores are no probabilities, or
        where it cannot be told.
    why : str, optional
        Why it cannot be told, as a sentence.
    kinds : dict of str to int
        Number of candidates rejected for their score by what they look like, as of
        `count_kinds`; empty where no candidate was averaged.
    """

    counts: dict[str, int]
    threshold: float
    rule: AcceptanceRule | None = None
    expected: ExpectedFigures | None = None
    why: str | None = None
    kinds: dict[str, int] = field(default_factory=dict)

    @property
    def n_candidates(self) -> int:
        """Number of all candidates."""
        return sum(self.counts.values())

    @property
    def n_accepted(self) -> int:
        """Number of those that are kept."""
        return self.n_for(Reason.ACCEPTED)

    @property
    def n_good_enough(self) -> int:
        """Number of those whose score is good enough, kept or not."""
        return self.n_candidates - sum(map(self.n_for, BY_SCORE))

    def n_for(self, reason: Reason) -> int:
        """Return the number of candidates with a reason."""
        return self.counts.get(_word(reason), 0)

    def describe(self) -> str:
        """Return how many are kept, and what became of the others, as a sentence."""
        kept = f"{self.n_accepted} kept of {self.n_candidates} candidates"
        without = self.n_for(Reason.NO_SCORE)
        unjudged = [(self.n_for(reason), reason.phrase) for reason in UNJUDGED]
        end = "".join(f"; {n} {phrase}" for n, phrase in unjudged if n)
        end += f"; {without} without a score." if without else "."
        if not np.isfinite(self.threshold):
            return f"{kept}: no score is high enough{end}"
        score = f"with a score of at least {self.threshold:.3g}"
        removed = [
            f"{n} {reason.phrase}"
            for reason in Reason
            if reason not in BY_SCORE and reason.phrase and (n := self.n_for(reason))
        ]
        if not removed:
            return f"{kept}, {score}{end}"
        *first, last = removed
        less = f"{', '.join(first)} and {last}" if first else last
        return f"{kept}: {self.n_good_enough} {score}, less {less}{end}"

    def describe_criteria(self) -> list[str]:
        """Return where particles may not lie, as a sentence; none if anywhere."""
        parts = [] if self.rule is None else self.rule.spacing.criteria()
        if not parts:
            return []
        *first, last = parts
        listed = f"{', '.join(first)} or {last}" if first else last
        return [f"Left out are candidates {listed}."]

    def sentences(self) -> list[str]:
        """Return what is kept and rejected, and what is expected of it or why not."""
        told = [self.describe(), *describe_kinds(self.kinds)]
        if self.why is not None:
            return [*told, describe_withheld(self.why)]
        return told if self.expected is None else [*told, self.expected.describe()]


def count_reasons(reason: IntArray) -> dict[str, int]:
    """Return the number of candidates by the word of their reason."""
    counts = np.bincount(reason, minlength=len(Reason)).tolist()
    return {_word(each): counts[each] for each in Reason}


def _word(reason: Reason) -> str:
    return reason.word or "accepted"


def write_summary(path: Path, summary: AcceptanceSummary) -> None:
    """Write a summary as JSON."""
    write_json(path, to_plain(summary))


def read_summary(path: Path) -> AcceptanceSummary:
    """Return what `write_summary` wrote; an infinite threshold as NaN.

    Raises
    ------
    FileFormatError
        If the file is not such a summary.
    """
    return from_plain(read_json(path), AcceptanceSummary, path=path)
