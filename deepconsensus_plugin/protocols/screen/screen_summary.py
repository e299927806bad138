# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of a run of *deep consensus*."""

from __future__ import annotations

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.streaming import StreamProgress
from deepconsensus_plugin.protocols.deep_consensus.acceptance import (
    readAcceptance,
    summaryOfEarly,
)
from deepconsensus_plugin.protocols.deep_consensus.score_summary import (
    countWithoutParticle,
    describeFusion,
    describeScores,
)
from deepconsensus_plugin.protocols.shared.averages_summary import (
    describeAveraging,
    describeAveragingMethods,
)
from deepconsensus_plugin.protocols.shared.model_summary import (
    countNetworks,
    describeMethods,
)
from deepconsensus_plugin.protocols.shared.skipped_micrographs import describeLeftOut
from deepconsensus_plugin.protocols.shared.used_devices import describeDevices


def describeProgress(progress: StreamProgress | None) -> list[str]:
    """Return how far a run is that has not ended."""
    if progress is None:
        return ["Not run yet, or no input so far."]
    state = (
        "the outputs are still growing."
        if progress.n_open
        else "all inputs are closed; training, scoring and selection are repeated."
    )
    return [f"PRELIMINARY: {state}", *progress.sentences()]


def describeEnd(protocol: Protocol) -> list[str]:
    """Return what came out of a finished run, and what is expected of it."""
    return [
        *describeLeftOut(protocol),
        *describeScores(
            acceptanceOf(protocol),
            protocol.numberLeftOut.get(),
            countWithoutParticle(protocol, "Scored"),
            protocol.readCalibration(),
        ),
        *describeAveraging(protocol, acceptanceOf(protocol).n_candidates),
        *describeDevices(protocol),
        *protocol.readReport().sentences(),
    ]


def acceptanceOf(protocol: Protocol) -> AcceptanceSummary:
    """Return what a finished run accepted."""
    return readAcceptance(protocol) or summaryOfEarly(
        nAll=protocol.numberScored.get(),
        nKept=protocol.numberAccepted.get(),
        threshold=protocol.suggestedThreshold.get(),
        nOther=protocol.numberNotIsolated.get(0),
    )


def describeScreening(protocol: Protocol) -> list[str]:
    """Return how the particles were chosen, as sentences of a paper."""
    report = protocol.readReport()
    card = load_card_of(protocol.modelFolder(), EnsembleCard)
    fusion = protocol.readCalibration()
    return [
        f"The picks of {len(report.pickers)} pickers were combined to {report.n_or} "
        "candidates [SanchezGarcia2018].",
        *([] if protocol.usesModelAsIs() else [describeMethods(card)]),
        f"{countNetworks(card)} scored them.",
        *([] if fusion is None else [describeFusion(fusion)]),
        *describeAveragingMethods(protocol),
        acceptanceOf(protocol).describe(),
        *acceptanceOf(protocol).describe_criteria(),
    ]
