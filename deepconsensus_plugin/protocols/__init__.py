# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols: the nodes of the workflow, in the order of the data."""

from deepconsensus_plugin.protocols.averages.protocol_averages import (
    ProtDeepConsensusAverages,
)
from deepconsensus_plugin.protocols.consensus.protocol_consensus import (
    ProtDeepConsensusPicks,
)
from deepconsensus_plugin.protocols.consensus.protocol_evaluate import ProtEvaluatePicks
from deepconsensus_plugin.protocols.consensus.protocol_import_ctfs import (
    ProtImportCtfs,
)
from deepconsensus_plugin.protocols.consensus.protocol_import_particles import (
    ProtImportParticleStacks,
)
from deepconsensus_plugin.protocols.consensus.protocol_import_picks import (
    ProtImportPicks,
)
from deepconsensus_plugin.protocols.consensus.protocol_mask import (
    ProtDeepConsensusMask,
)
from deepconsensus_plugin.protocols.consensus.protocol_negatives import (
    ProtDeepConsensusNegatives,
)
from deepconsensus_plugin.protocols.deep_consensus.protocol_import_model import (
    ProtImportModel,
)
from deepconsensus_plugin.protocols.deep_consensus.protocol_score import (
    ProtDeepConsensusScore,
)
from deepconsensus_plugin.protocols.deep_consensus.protocol_select import (
    ProtDeepConsensusSelect,
)
from deepconsensus_plugin.protocols.deep_consensus.protocol_select_averages import (
    ProtDeepConsensusSelectAverages,
)
from deepconsensus_plugin.protocols.deep_consensus.protocol_train import (
    ProtDeepConsensusTrain,
)
from deepconsensus_plugin.protocols.pickers.protocol_classical_pick import (
    ProtClassicalPick,
)
from deepconsensus_plugin.protocols.pickers.protocol_deepem_train import ProtDeepEMTrain
from deepconsensus_plugin.protocols.pickers.protocol_hydra_train import ProtHydraTrain
from deepconsensus_plugin.protocols.pickers.protocol_network_pick import ProtNetworkPick
from deepconsensus_plugin.protocols.pickers.protocol_topaz_train import ProtTopazTrain
from deepconsensus_plugin.protocols.screen.protocol_screen import (
    ProtDeepConsensusScreen,
)
from deepconsensus_plugin.protocols.simulation.protocol_simulate import (
    ProtSimulateMicrographs,
)

__all__ = [
    "ProtClassicalPick",
    "ProtDeepConsensusAverages",
    "ProtDeepConsensusMask",
    "ProtDeepConsensusNegatives",
    "ProtDeepConsensusPicks",
    "ProtDeepConsensusScore",
    "ProtDeepConsensusScreen",
    "ProtDeepConsensusSelect",
    "ProtDeepConsensusSelectAverages",
    "ProtDeepConsensusTrain",
    "ProtDeepEMTrain",
    "ProtEvaluatePicks",
    "ProtHydraTrain",
    "ProtImportCtfs",
    "ProtImportModel",
    "ProtImportParticleStacks",
    "ProtImportPicks",
    "ProtNetworkPick",
    "ProtSimulateMicrographs",
    "ProtTopazTrain",
]
