# SPDX-License-Identifier: GPL-3.0-or-later
"""Wizards: windows that help to fill in a value of a form."""

from deepconsensus_plugin.wizards.wizard_consensus_radius import (
    DeepConsensusRadiusWizard,
)
from deepconsensus_plugin.wizards.wizard_model import DeepConsensusModelWizard
from deepconsensus_plugin.wizards.wizard_sizes import (
    DeepConsensusBoxSizeWizard,
    DeepConsensusDiameterWizard,
)
from deepconsensus_plugin.wizards.wizard_threshold import DeepConsensusThresholdWizard

__all__ = [
    "DeepConsensusBoxSizeWizard",
    "DeepConsensusDiameterWizard",
    "DeepConsensusModelWizard",
    "DeepConsensusRadiusWizard",
    "DeepConsensusThresholdWizard",
]
