# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of a run of *deep consensus*."""

from __future__ import annotations

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.streaming import StreamProgress
from deepconsensus_plugin.protocols.deep_consensus.score_summary import (
    describeFusion,
    describeScores,
)
from deepconsensus_plugin.protocols.shared.model_summary import (
    countNetworks,
    describeMethods,
)


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
    nNotIsolated = protocol.numberNotIsolated.get()
    lines = describeScores(
        protocol.numberScored.get(),
        protocol.numberAccepted.get() + nNotIsolated,
        protocol.numberLeftOut.get(),
        protocol.suggestedThreshold.get(),
        protocol.readCalibration(),
    )
    if nNotIsolated:
        lines.append(
            f"{nNotIsolated} of these rejected: too close to the edge or to another."
        )
    return [*lines, *protocol.readReport().sentences()]


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
        f"{protocol.numberAccepted.get()} of {protocol.numberScored.get()}, with a "
        f"score of at least {protocol.suggestedThreshold.get():.3g}, were accepted.",
    ]
