# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of a run of *pick with a network*."""

from __future__ import annotations

import math

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.methods import find_method
from deepconsensus_plugin.core.pipeline.network_pick_requests import (
    NetworkPickResult,
    ThresholdOrigin,
)
from deepconsensus_plugin.protocols.consensus.picker_origins import (
    learntFromConsensus,
)
from deepconsensus_plugin.protocols.shared.picker_summary import (
    describeExpected,
    describeNull,
)


def pickerName(protocol: Protocol) -> str:
    """Return the name of the method that the model of a form belongs to."""
    return find_method(protocol.inputModel.get().getKind()).label


def describePicks(protocol: Protocol, result: NetworkPickResult) -> list[str]:
    """Return what was picked, by which threshold, and what is expected of it.

    Parameters
    ----------
    protocol : Protocol
        A `ProtNetworkPick`.
    result : NetworkPickResult
        What its job found.
    """
    recall = result.expected_recall
    summary = [
        f"{result.n_picks} picks on {protocol.inputMicrographs.get().getSize()} "
        f"micrographs by a {pickerName(protocol)}: the peaks, of {result.n_found}, "
        f"with log-odds of {result.threshold:.2f} or more; "
        f"{_describeExpected(protocol, result.expected_precision, recall)}."
    ]
    summary += describeNull(result.null)
    if result.numbers is not None:
        summary.append(result.numbers.describe())
    if result.origin is not ThresholdOrigin.GIVEN:
        summary.append(f"Threshold: {result.origin.describe()}.")
    if protocol.knownCoordinates.get() is not None:
        expected = _describeExpected(protocol, result.expected_missed_precision)
        summary.append(f"{result.n_missed} of them are new; {expected}.")
    return summary


def _describeExpected(
    protocol: Protocol, precision: float, recall: float = math.nan
) -> str:
    """Return the expected precision and recall of picks, as a part of a sentence.

    Picks that pickers agree on are the easy ones, no sample of all particles; the
    precision of a model that learnt from them cannot be told from them.
    """
    if learntFromConsensus(protocol):
        return "expected precision unknown, since agreed picks were its labels"
    return describeExpected(precision, recall)
