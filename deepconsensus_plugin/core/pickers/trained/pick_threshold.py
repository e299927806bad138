# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule for the threshold of a trained picker's picks."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.pickers.trained.validation import (
    WANTED_PRECISION,
    PickerValidation,
)


class PickThresholdMode(enum.Enum):
    """Source of the threshold of picks."""

    PRECISION = "precision"
    """Lowest threshold with the wanted precision on the held-out micrographs."""

    BEST_F1 = "best_f1"
    """Threshold of the largest F1 on the held-out micrographs."""

    BEST_F2 = "best_f2"
    """Threshold of the largest F2 on the held-out micrographs."""

    GIVEN = "given"
    """A given score."""

    EXPECTED = "expected"
    """Threshold that gives the number of picks that training assumed."""


@dataclass(frozen=True)
class PickThreshold(Declared):
    """Lowest score of a pick, and how it is chosen."""

    mode: PickThresholdMode = field(
        default=PickThresholdMode.PRECISION,
        metadata=declare(
            "Threshold",
            "*target precision*, *best F1* and *best F2* are measured on micrographs "
            "held out in training. The general model has none for your sample; then "
            "the threshold is the gap between the particle and background score "
            "distributions. If there is no gap, the number of picks is that of the "
            "pickers without training.\n"
            "*expected number*: the number of particles per micrograph that training "
            "assumed. Choose it if the labels were the easier particles, such as "
            "agreed ones.\n"
            "*given*: a log-odds score of your own.",
        ),
    )
    wanted_precision: float = field(
        default=WANTED_PRECISION,
        metadata=declare(
            "Target precision",
            "Lowest threshold that keeps at least this precision, 0 to 1. It falls "
            "back to *best F1* if the model never reaches it.",
            shown_if=("mode", PickThresholdMode.PRECISION),
            gt=0,
            le=1,
        ),
    )
    threshold: float = field(
        default=0.0,
        metadata=declare(
            "Minimum log-odds",
            "Picks with this log-odds score or a higher one are kept. 0 is a "
            "probability of 0.5 by the estimate of the network. Changing it takes "
            "seconds (*Continue*).",
            shown_if=("mode", PickThresholdMode.GIVEN),
            may_be_infinite=True,
        ),
    )

    def choose(self, figures: PickerValidation | None) -> float | None:
        """Return the threshold; None if it follows from the scores of all picks.

        Parameters
        ----------
        figures : PickerValidation, optional
            Validation of the chosen part of the model, if there is one.
        """
        if self.mode is PickThresholdMode.GIVEN:
            return self.threshold
        if self.mode is PickThresholdMode.EXPECTED or figures is None:
            return None
        if self.mode is PickThresholdMode.BEST_F2:
            return figures.best_threshold_of(2.0)
        precise = figures.threshold_for(self.wanted_precision)
        if self.mode is PickThresholdMode.BEST_F1 or precise is None:
            return figures.best_threshold
        return precise
