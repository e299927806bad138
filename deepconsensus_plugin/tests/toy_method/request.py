# SPDX-License-Identifier: GPL-3.0-or-later
"""Request to train the toy method."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.tests.toy_method.card import ToyParameters


@dataclass(frozen=True)
class ToyTrainRequest:
    """Request to train a template from labels."""

    learnt: LearningInput
    parameters: ToyParameters
    model: Path
