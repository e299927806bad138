# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's own negatives beside those that were drawn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deepconsensus_plugin.core.negatives.hard import NegativeKind
from deepconsensus_plugin.core.types import ScoredCoordinates


def with_user_negatives(
    drawn: Mapping[str, ScoredCoordinates], given: Mapping[str, ScoredCoordinates]
) -> dict[str, ScoredCoordinates]:
    """Return the drawn negatives and those given.

    Parameters
    ----------
    drawn : mapping of micrograph name to ScoredCoordinates
        Their scores are values of `NegativeKind`.
    given : mapping of micrograph name to ScoredCoordinates
        The user's own; they follow the drawn ones of their micrograph.

    Returns
    -------
    dict of str to ScoredCoordinates
        Scores are values of `NegativeKind`; micrographs of `drawn` come first.
    """
    none = ScoredCoordinates.from_arrays([])
    joined = {}
    for name in dict.fromkeys((*drawn, *given)):
        before, own = drawn.get(name, none), given.get(name, none)
        kinds = np.full(len(own), float(NegativeKind.USER.value))
        joined[name] = ScoredCoordinates(
            np.concatenate([before.yx, own.yx]), np.concatenate([before.scores, kinds])
        )
    return joined
