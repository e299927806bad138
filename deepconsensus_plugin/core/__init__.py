# SPDX-License-Identifier: GPL-3.0-or-later
"""Science of Deep Consensus as a plain Python library, without Scipion.

The names below are what it offers; docs/library.md shows them at work. Each is imported
when it is first asked for. Everything else in this package is private, and may move.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deepconsensus_plugin.core.acceptance.accept import accept
    from deepconsensus_plugin.core.acceptance.places import Places
    from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
    from deepconsensus_plugin.core.acceptance.spacing import Spacing
    from deepconsensus_plugin.core.calibration.thresholds import (
        ThresholdMode,
        ThresholdRule,
        select,
    )
    from deepconsensus_plugin.core.candidates import Candidates
    from deepconsensus_plugin.core.consensus import find_consensus
    from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
    from deepconsensus_plugin.core.deep_consensus.requests import (
        ScoringParameters,
        StackOptions,
    )
    from deepconsensus_plugin.core.execution import Progress
    from deepconsensus_plugin.core.io.micrographs import open_micrograph
    from deepconsensus_plugin.core.methods import load_picker
    from deepconsensus_plugin.core.metrics.evaluation import evaluate_picks
    from deepconsensus_plugin.core.negatives.parameters import NegativesParameters
    from deepconsensus_plugin.core.pickers.classical.parameters import (
        PickMethod,
        PickParameters,
    )
    from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
    from deepconsensus_plugin.core.pipeline.fuse import fuse_scores as fuse
    from deepconsensus_plugin.core.pipeline.fusion_grounds import FusionContext
    from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
    from deepconsensus_plugin.core.simulation.parameters import SimulationParameters
    from deepconsensus_plugin.core.types import (
        Micrograph,
        PickerPicks,
        ScoredCoordinates,
    )
    from deepconsensus_plugin.core.workflow.automatic import pick_for_me
    from deepconsensus_plugin.core.workflow.chain import run_deep_consensus
    from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions
    from deepconsensus_plugin.core.workflow.sets import (
        find_micrographs,
        pick,
    )
    from deepconsensus_plugin.core.workflow.sets import load_picks as read_picks
    from deepconsensus_plugin.core.workflow.sets import save_picks as write_picks
    from deepconsensus_plugin.core.workflow.simulated import simulate
    from deepconsensus_plugin.core.workflow.stages import draw_negatives, score, train

_WHERE = {
    "AcceptanceRule": "acceptance.rule",
    "BoxPreprocessing": "preprocessing",
    "Candidates": "candidates",
    "ConsensusRules": "pipeline.combine",
    "DeepConsensusOptions": "workflow.options",
    "FusionContext": "pipeline.fusion_grounds",
    "Micrograph": "types",
    "NegativesParameters": "negatives.parameters",
    "PickMethod": "pickers.classical.parameters",
    "PickParameters": "pickers.classical.parameters",
    "PickerPicks": "types",
    "Places": "acceptance.places",
    "Progress": "execution",
    "ScoredCoordinates": "types",
    "ScoringParameters": "deep_consensus.requests",
    "SimulationParameters": "simulation.parameters",
    "Spacing": "acceptance.spacing",
    "StackOptions": "deep_consensus.requests",
    "ThresholdMode": "calibration.thresholds",
    "ThresholdRule": "calibration.thresholds",
    "TrainingParameters": "deep_consensus.parameters",
    "accept": "acceptance.accept",
    "draw_negatives": "workflow.stages",
    "evaluate_picks": "metrics.evaluation",
    "find_consensus": "consensus",
    "find_micrographs": "workflow.sets",
    "fuse": "pipeline.fuse:fuse_scores",
    "load_picker": "methods",
    "open_micrograph": "io.micrographs",
    "pick": "workflow.sets",
    "pick_for_me": "workflow.automatic",
    "read_picks": "workflow.sets:load_picks",
    "run_deep_consensus": "workflow.chain",
    "score": "workflow.stages",
    "select": "calibration.thresholds",
    "simulate": "workflow.simulated",
    "train": "workflow.stages",
    "write_picks": "workflow.sets:save_picks",
}
"""Module of each name, and its name there if that is another."""

__all__ = [
    "AcceptanceRule",
    "BoxPreprocessing",
    "Candidates",
    "ConsensusRules",
    "DeepConsensusOptions",
    "FusionContext",
    "Micrograph",
    "NegativesParameters",
    "PickMethod",
    "PickParameters",
    "PickerPicks",
    "Places",
    "Progress",
    "ScoredCoordinates",
    "ScoringParameters",
    "SimulationParameters",
    "Spacing",
    "StackOptions",
    "ThresholdMode",
    "ThresholdRule",
    "TrainingParameters",
    "accept",
    "draw_negatives",
    "evaluate_picks",
    "find_consensus",
    "find_micrographs",
    "fuse",
    "load_picker",
    "open_micrograph",
    "pick",
    "pick_for_me",
    "read_picks",
    "run_deep_consensus",
    "score",
    "select",
    "simulate",
    "train",
    "write_picks",
]


def __getattr__(name: str) -> Any:
    """Serve a name of the library on first use (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, own_name = _WHERE[name].partition(":")
    found = getattr(import_module(f"{__name__}.{module}"), own_name or name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the names of the library, which are not imported yet, and all others."""
    return sorted({*globals(), *__all__})
