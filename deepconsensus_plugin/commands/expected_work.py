# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected work of the stages of a run, for its progress bar.

Rough numbers, seconds on two cores, from runs of the demonstration and of EMPIAR-10017:
only their proportions count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.commands.fields import matching_files

_START = 5.0
"""Of any stage: a process is started, sets are read and written."""

_PER_MICROGRAPH = {
    "ProtSimulateMicrographs": 1.5,
    "ProtClassicalPick": 1.0,
    "ProtDeepConsensusMask": 0.5,
    "ProtNetworkPick": 30.0,
    "ProtDeepConsensusPicks": 0.5,
    "ProtDeepConsensusNegatives": 1.0,
    "ProtDeepConsensusScore": 2.0,
    "ProtDeepConsensusAverages": 1.0,
}
_TRAININGS = {
    "ProtDeepConsensusTrain": 60.0,
    "ProtTopazTrain": 400.0,
    "ProtDeepEMTrain": 300.0,
    "ProtHydraTrain": 600.0,
}
_OTHER = 0.02

_FIRST_STAGES = 0.1
"""Part of a job that comes before its main stage."""

_MAIN_STAGES = (
    "simulate",
    "pick",
    "train",
    "score",
    "average",
    "look for hard negatives",
)


def expected_work(protocols: Mapping[str, Protocol]) -> dict[str, float]:
    """Return the expected work of each protocol, by its label."""
    n = max(map(_count_micrographs, protocols.values()), default=0) or 1
    return {each.getObjLabel(): _work(each, n) for each in protocols.values()}


def _work(protocol: Protocol, n_micrographs: int) -> float:
    kind = protocol.getClassName()
    if kind in _TRAININGS:
        networks = protocol.getAttributeValue("nModels", 1)
        return _START + _TRAININGS[kind] * networks
    return _START + _PER_MICROGRAPH.get(kind, _OTHER) * n_micrographs


def _count_micrographs(protocol: Protocol) -> int:
    """Return how many micrographs a protocol imports or simulates."""
    if protocol.getClassName() == "ProtSimulateMicrographs":
        return int(protocol.getAttributeValue("numberOfMicrographs"))
    if protocol.getClassName() == "ProtImportMicrographs":
        return len(matching_files(protocol.getAttributeValue("filesPath", "")))
    return 0


def part_done(report: Mapping[str, Any]) -> float:
    """Return which part of a job is done, 0 to 1.

    Parameters
    ----------
    report : mapping
        What its progress file says: ``stage``, ``done`` and ``total``.
    """
    part = report["done"] / report["total"] if report["total"] else 0.0
    if str(report["stage"]).startswith(_MAIN_STAGES):
        return _FIRST_STAGES + (1 - _FIRST_STAGES) * part
    return _FIRST_STAGES * part
