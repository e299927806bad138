# SPDX-License-Identifier: GPL-3.0-or-later
"""A picker that learnt from others is known by the runs and sets that it came from."""

from __future__ import annotations

import itertools

import pytest
from pwem.objects import SetOfMicrographs
from pyworkflow.object import Pointer, PointerList
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.protocols import (
    ProtDeepConsensusPicks,
    ProtImportPicks,
    ProtNetworkPick,
    ProtTopazTrain,
)
from deepconsensus_plugin.protocols.consensus.picker_origins import (
    learntFromConsensus,
    trainedOn,
)

_IDS = itertools.count(1)


def run_of(kind: type[Protocol]) -> Protocol:
    run = kind()
    run.setObjId(next(_IDS))
    return run


def output(run: Protocol, name: str = "outputCoordinates") -> Pointer:
    return Pointer(run, extended=name)


@pytest.fixture
def runs() -> dict[str, Protocol]:
    """Return two imports, their consensus, a training on it, and what it picked."""
    made = {
        "a": run_of(ProtImportPicks),
        "b": run_of(ProtImportPicks),
        "consensus": run_of(ProtDeepConsensusPicks),
        "training": run_of(ProtTopazTrain),
        "picked": run_of(ProtNetworkPick),
    }
    made["consensus"].inputCoordinates = PointerList(
        [output(made["a"]), output(made["b"])]
    )
    made["training"].inputCoordinates = output(
        made["consensus"], "outputCoordinatesAND"
    )
    made["picked"].inputModel = output(made["training"], "outputModel")
    return made


def test_a_picker_trained_on_a_consensus_learnt_from_its_pickers(runs):
    pointers = [output(runs[name]) for name in ("a", "b", "picked")]
    assert trainedOn(pointers, ["a", "b", "topaz"]) == [[], [], ["a", "b"]]
    assert learntFromConsensus(runs["picked"])
    assert not learntFromConsensus(runs["a"])


def test_teachers_that_are_not_there_are_not_named(runs):
    other = run_of(ProtImportPicks)
    pointers = [output(runs["a"]), output(other), output(runs["picked"])]
    assert trainedOn(pointers, ["a", "c", "topaz"]) == [[], [], ["a"]]


def test_what_a_run_picks_on_is_not_what_it_learnt_from(runs):
    runs["a"].outputMicrographs = SetOfMicrographs(filename=":memory:")
    runs["picked"].inputMicrographs = output(runs["a"], "outputMicrographs")
    runs["picked"].inputModel = output(run_of(ProtImportPicks), "outputModel")
    assert trainedOn([output(runs["a"]), output(runs["picked"])], ["a", "t"]) == [
        [],
        [],
    ]
    assert not learntFromConsensus(runs["picked"])
