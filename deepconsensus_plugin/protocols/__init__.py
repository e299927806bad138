# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols: the nodes of the workflow, in the order of the data."""

from typing import Any

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

_PREFIXED = {
    "ProtDeepConsensusClassicalPick": ProtClassicalPick,
    "ProtDeepConsensusDeepEMTrain": ProtDeepEMTrain,
    "ProtDeepConsensusEvaluate": ProtEvaluatePicks,
    "ProtDeepConsensusHydraTrain": ProtHydraTrain,
    "ProtDeepConsensusImportCtfs": ProtImportCtfs,
    "ProtDeepConsensusImportModel": ProtImportModel,
    "ProtDeepConsensusImportParticles": ProtImportParticleStacks,
    "ProtDeepConsensusImportPicks": ProtImportPicks,
    "ProtDeepConsensusNetworkPick": ProtNetworkPick,
    "ProtDeepConsensusSimulate": ProtSimulateMicrographs,
    "ProtDeepConsensusTopazTrain": ProtTopazTrain,
}
"""Other names of those whose class does not begin with the plugin's, for scripts.

Projects hold the names of the classes. These are served on demand, since Scipion would
list each name that it finds here as a protocol of its own.
"""


def __getattr__(name: str) -> Any:
    """Serve the other names of protocols (PEP 562)."""
    if name in _PREFIXED:
        return _PREFIXED[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
