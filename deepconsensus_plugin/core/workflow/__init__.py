# SPDX-License-Identifier: GPL-3.0-or-later
"""Chain of Deep Consensus as functions, from picks to accepted coordinates."""

from deepconsensus_plugin.core.workflow.chain import run_deep_consensus
from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions
from deepconsensus_plugin.core.workflow.result import DeepConsensusResult

__all__ = ["DeepConsensusOptions", "DeepConsensusResult", "run_deep_consensus"]
