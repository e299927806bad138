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
    """

    candidates: Candidates
    network: NetworkGrounds | None = None
    shapes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    nulls: Sequence[NullEvidence] = ()


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


def _one_picker(grounds: Grounds) -> str | None:
    candidates = grounds.candidates
    if len(candidates.voters) > 1:
        return None
    one = "there is only one"
    if candidates.found.any(axis=0).sum() > 1:
        one = f"{' and '.join(candidates.pickers)} count as one"
    return f"They rest on the agreement of independent pickers, and {one}: add another."


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
    _one_picker,
    _few_agreed,
    _weak_network,
)
"""In the order in which a user should hear of them."""
