# SPDX-License-Identifier: GPL-3.0-or-later
"""Grounds of expected figures: whether precision and recall may be told, and why not.

A fusion always gives figures, also where nothing in the data determines them. Each
rule here names one case in which they would rest on nothing, with the number that
decides. Probabilities stay, and selections work; only expectations are withheld.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from deepconsensus_plugin.core.alignment.confinement import find_extent
from deepconsensus_plugin.core.calibration.network_grounds import (
    NetworkGrounds,
    object_to_network,
)
from deepconsensus_plugin.core.candidates import Candidates

FEWEST_AGREED = 100
"""Fewest candidates that two pickers agree on. They teach the network, and they tell
the rates of the pickers: of 100, a share of .9 is known to ± .06."""


FEWEST_VOTERS = 3
"""Fewest independent pickers, unless averages show what two of them find. The votes of
two fill three cells, for five unknowns (Hui and Walter, 1980); what both take wrongly
shows nowhere. The expected precision of a pair was .1 too high or more on eleven of
twelve simulated sets without averages (``docs/fusion.md``)."""

LEAST_RESOLVED = 0.5
"""Least share of the particles of a pair whose averages an independent half confirms.
It was .66 – .99 on nine sets with particles, and .27 on one where most candidates are
noise (``docs/averages.md``)."""

LEAST_SEPARATION = 0.2
"""Smallest distance of particles from the rest by any kind of score, in deviations. If
no score is better, ROC-AUC .56, nothing confirms the votes."""


class NullEvidence(Protocol):
    """Result of a null control of one scorer (`core.null_control.NullComparison`)."""

    @property
    def scorer(self) -> str:
        """Name of the scorer."""

    @property
    def has_evidence(self) -> bool:
        """Whether there is more on the micrographs than on their nulls."""


@dataclass(frozen=True, eq=False)
class Grounds:
    """Knowledge of n candidates beside their votes and scores.

    Parameters
    ----------
    candidates : Candidates
        Those that are fused, n.
    network : NetworkGrounds, optional
        What is known of the network; None where there is no network.
    shapes : mapping of micrograph name to (rows, columns)
        Pixels; micrographs without one are not looked at.
    nulls : sequence of NullEvidence
        What scorers find on these micrographs and on their nulls; may be empty.
    separation : float, optional
        Largest distance of the mean of particles from that of the rest, among the kinds
        of score, in deviations; None where there is no score.
    share_resolved : float, optional
        Share of the likely particles whose average an independent half confirms; None
        without averages.
    """

    candidates: Candidates
    network: NetworkGrounds | None = None
    shapes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    nulls: Sequence[NullEvidence] = ()
    separation: float | None = None
    share_resolved: float | None = None


def find_objection(grounds: Grounds) -> str | None:
    """Return why nothing can be expected, as one sentence; None if figures can be."""
    for rule in _RULES:
        if (sentence := rule(grounds)) is not None:
            return sentence
    return None


def _nothing_but_noise(grounds: Grounds) -> str | None:
    if not grounds.nulls or any(each.has_evidence for each in grounds.nulls):
        return None
    names = ", ".join(each.scorer for each in grounds.nulls)
    return (
        "There is no evidence for particles: micrographs with randomised phases, which "
        f"hold none, give as much ({names})."
    )


def _confined(grounds: Grounds) -> str | None:
    extent = find_extent(grounds.candidates, grounds.shapes)
    if extent is None:
        return None
    rows, columns = extent
    return (
        f"All picks lie within {rows:.0%} of the rows and {columns:.0%} of the columns "
        "of the micrographs, as if they were made on binned images: check their scale."
    )


def _few_voters(grounds: Grounds) -> str | None:
    candidates = grounds.candidates
    n = len(candidates.voters)
    is_shown = (grounds.share_resolved or 0.0) >= LEAST_RESOLVED
    if n >= FEWEST_VOTERS or (n == FEWEST_VOTERS - 1 and is_shown):
        return None
    there = "there is only one" if n == 1 else "there are two"
    if candidates.found.any(axis=0).sum() > n:
        there = f"{', '.join(candidates.pickers)} count as {'one' if n == 1 else 'two'}"
    if n == FEWEST_VOTERS - 1 and grounds.share_resolved is not None:
        there += (
            f", with {grounds.share_resolved:.0%} of their particles in averages that "
            "show one"
        )
    return (
        "At least three independent pickers are needed to estimate how often they are "
        f"wrong together, and {there}: add another kind of picker."
    )


def _nothing_parts(grounds: Grounds) -> str | None:
    if grounds.separation is None or grounds.separation >= LEAST_SEPARATION:
        return None
    return (
        "No score, of the network or of a picker, tells the candidates apart: nothing "
        "confirms the votes of the pickers."
    )


def _few_agreed(grounds: Grounds) -> str | None:
    n_agreed = int(grounds.candidates.is_agreed(2).sum())
    if n_agreed >= FEWEST_AGREED:
        return None
    return (
        f"Pickers agree on {n_agreed} candidates, and at least {FEWEST_AGREED} are "
        "needed: add micrographs."
    )


def _weak_network(grounds: Grounds) -> str | None:
    if grounds.network is None:
        return None
    return object_to_network(grounds.network)


_RULES: tuple[Callable[[Grounds], str | None], ...] = (
    _nothing_but_noise,
    _confined,
    _few_agreed,
    _weak_network,
    _nothing_parts,
    _few_voters,
)
"""In the order in which a user should hear of them."""
