# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule that ends a training which no longer improves, one for all methods.

A training ends when nothing has improved for half of its planned length. A training
whose learning rate falls on the way has that half divided among the falls, so that the
rule also holds for short trainings.
"""

from __future__ import annotations

STOPPING_SHARE = 0.5
"""Share of the planned length that may pass without improvement."""


def stopping_patience(length: int, *, n_stages: int = 1) -> int:
    """Return how long one stage may last without improvement, in units of `length`.

    Parameters
    ----------
    length : int
        Planned length of the training, updates or epochs, >= 1.
    n_stages : int
        Stages without improvement after which the training ends, >= 1; the learning
        rate falls after each.
    """
    return max(1, round(STOPPING_SHARE * length / n_stages))
