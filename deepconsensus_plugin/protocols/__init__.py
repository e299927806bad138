# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of the workflow, in the order of the data."""

from deepconsensus_plugin.protocols.protocol_classical_pick import ProtClassicalPick
from deepconsensus_plugin.protocols.protocol_consensus import ProtDeepConsensusPicks
from deepconsensus_plugin.protocols.protocol_deepem_train import ProtDeepEMTrain
from deepconsensus_plugin.protocols.protocol_evaluate import ProtEvaluatePicks
from deepconsensus_plugin.protocols.protocol_hydra_train import ProtHydraTrain
from deepconsensus_plugin.protocols.protocol_import_model import ProtImportModel
from deepconsensus_plugin.protocols.protocol_import_picks import ProtImportPicks
from deepconsensus_plugin.protocols.protocol_negatives import (
    ProtDeepConsensusNegatives,
)
from deepconsensus_plugin.protocols.protocol_network_pick import ProtNetworkPick
from deepconsensus_plugin.protocols.protocol_score import ProtDeepConsensusScore
from deepconsensus_plugin.protocols.protocol_screen import ProtDeepConsensusScreen
from deepconsensus_plugin.protocols.protocol_select import ProtDeepConsensusSelect
from deepconsensus_plugin.protocols.protocol_simulate import ProtSimulateMicrographs
from deepconsensus_plugin.protocols.protocol_topaz_train import ProtTopazTrain
from deepconsensus_plugin.protocols.protocol_train import ProtDeepConsensusTrain

__all__ = [
    "ProtClassicalPick",
    "ProtDeepConsensusNegatives",
    "ProtDeepConsensusPicks",
    "ProtDeepConsensusScore",
    "ProtDeepConsensusScreen",
    "ProtDeepConsensusSelect",
    "ProtDeepConsensusTrain",
    "ProtDeepEMTrain",
    "ProtEvaluatePicks",
    "ProtHydraTrain",
    "ProtImportModel",
    "ProtImportPicks",
    "ProtNetworkPick",
    "ProtSimulateMicrographs",
    "ProtTopazTrain",
]
