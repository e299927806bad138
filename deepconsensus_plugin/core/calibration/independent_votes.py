# SPDX-License-Identifier: GPL-3.0-or-later
"""Votes of independent pickers: those of pickers that depend on others are merged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.types import BoolArray


@dataclass(frozen=True, eq=False)
class IndependentVotes:
    """Votes on n candidates of m micrographs by g groups of pickers.

    Parameters
    ----------
    names : tuple of str
        Names of the groups, such as ``cryolo`` or ``cryolo with cryolo-b``.
    found : array, shape (n, g), bool
        Which groups proposed the candidate.
    observed : array, shape (m, g), bool
        Which groups were run on the micrograph.
    """

    names: tuple[str, ...]
    found: BoolArray
    observed: BoolArray

    @classmethod
    def of(cls, candidates: Candidates) -> IndependentVotes:
        """Return the votes; those of all pickers where only one is independent.

        Then they still order candidates, but no figure can be expected of them.
        """
        groups = candidates.voters
        if len(groups) < 2 or len(groups) == len(candidates.pickers):
            return cls(candidates.pickers, candidates.found, candidates.observed)
        columns = groups.values()
        return cls(
            tuple(_name(candidates, each) for each in groups.items()),
            np.column_stack([candidates.found[:, c].any(axis=1) for c in columns]),
            np.column_stack([candidates.observed[:, c].any(axis=1) for c in columns]),
        )


def describe_merged(candidates: Candidates) -> list[str]:
    """Return which pickers' votes are counted as one, a sentence each."""
    return [
        f"{_join([candidates.pickers[c] for c in columns])} count as one picker, since "
        "they are not independent."
        for columns in candidates.voters.values()
        if len(columns) > 1
    ]


def _name(candidates: Candidates, group: tuple[str, list[int]]) -> str:
    first, columns = group
    others = [candidates.pickers[c] for c in columns if candidates.pickers[c] != first]
    return f"{first} with {_join(others)}" if others else first


def _join(names: list[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
