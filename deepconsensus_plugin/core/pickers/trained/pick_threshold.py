# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule that tells the threshold of a trained picker's picks."""

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
    """The lowest with a wanted precision, on micrographs that training held out."""

    BEST_F1 = "best_f1"
    """The largest F1 there."""

    BEST_F2 = "best_f2"
    """The largest F2 there."""

    GIVEN = "given"
    """A given score."""

    EXPECTED = "expected"
    """As many picks as training reckoned with."""


@dataclass(frozen=True)
class PickThreshold(Declared):
    """Score from which on what a network finds is a pick."""

    mode: PickThresholdMode = field(
        default=PickThresholdMode.PRECISION,
        metadata=declare(
            "Threshold",
            "The first two and *F2*: as found on micrographs that training held out, "
            "or else where particles and background part in all scores; so always with "
            "a general head, whose figures are of other samples. Where its scores do "
            "not tell, as many as pickers without training find.\n"
            "*as many as expected*: as training reckoned with; where labels are the "
            "easier particles, such as agreed ones.",
        ),
    )
    wanted_precision: float = field(
        default=WANTED_PRECISION,
        metadata=declare(
            "Precision",
            "As many picks as leave this share of particles among them. Where the "
            "model never was as precise: as *best F1*.",
            shown_if=("mode", PickThresholdMode.PRECISION),
            gt=0,
            le=1,
        ),
    )
    threshold: float = field(
        default=0.0,
        metadata=declare(
            "Log-odds, at least",
            "0 is a probability of one half, as the network has it. Another threshold "
            "takes seconds (*Continue*).",
            shown_if=("mode", PickThresholdMode.GIVEN),
            may_be_infinite=True,
        ),
    )

    def choose(self, figures: PickerValidation | None) -> float | None:
        """Return the threshold; None where scores, or their number, must tell.

        Parameters
        ----------
        figures : PickerValidation, optional
            Of what is chosen of the model, where there are any.
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
