# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule of what is accepted: a threshold on scores, and where particles may lie."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    ThresholdMode,
    ThresholdRule,
)
from deepconsensus_plugin.core.declared import Declared


@dataclass(frozen=True)
class AcceptanceRule(Declared):
    """Rule of what is accepted.

    Parameters
    ----------
    threshold : ThresholdRule
        What score is good enough.
    spacing : Spacing
        Where an accepted particle may lie.
    """

    threshold: ThresholdRule = AUTOMATIC
    spacing: Spacing = field(default_factory=Spacing)

    def at(self, threshold: float) -> AcceptanceRule:
        """Return the rule with a fixed threshold and all other criteria as they are."""
        fixed = ThresholdRule(ThresholdMode.FIXED, threshold)
        return replace(self, threshold=fixed)
