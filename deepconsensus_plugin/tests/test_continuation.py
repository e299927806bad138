# SPDX-License-Identifier: GPL-3.0-or-later
"""*Continue* after a change on the form: every step runs again, no output is stale."""

from __future__ import annotations

import json
import os

import pytest
from pyworkflow.object import Float, Integer, Pointer, PointerList, String

from deepconsensus_plugin import protocols
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusPicks,
    ProtDeepConsensusSelect,
)
from deepconsensus_plugin.protocols.shared.continuation import (
    WITHOUT_EFFECT,
    fingerprint,
)
from deepconsensus_plugin.tests.stored_sets import new_protocol, output, store_scored
from deepconsensus_plugin.tests.synthetic import SyntheticProject, pick

CLASSES = [getattr(protocols, name) for name in protocols.__all__]

LABELS = {"feedback", "feedbackScale"}
"""Of *score particles*: nothing that looks at images depends on them."""


def _steps(protocol) -> list[str]:
    protocol._steps = []
    protocol._insertAllSteps()
    return [f"{step.funcName}{step.argsStr}" for step in protocol._steps]


def _new(kind):
    protocol = kind(workingDir="run")
    protocol._steps = []
    return protocol


def _change(attribute) -> None:
    if isinstance(attribute, PointerList | Pointer):
        target = String("set")
        target.setObjId(9)
        pointer = Pointer(target, extended="outputCoordinates")
        change = attribute.append if isinstance(attribute, PointerList) else None
        (change or attribute.copy)(pointer)
    elif isinstance(attribute, String):
        attribute.set(f"{attribute.get() or ''}changed")
    elif isinstance(attribute, Integer | Float):
        attribute.set((attribute.get() or 0) + 1)
    else:
        attribute.set(not attribute.get())


@pytest.mark.parametrize("kind", CLASSES)
def test_every_step_depends_on_every_choice(kind):
    before = _steps(_new(kind))
    assert before
    choices = {name for name, _ in kind().getDefinition().iterParams()}
    without_effect = []
    later = LABELS if kind is protocols.ProtDeepConsensusScore else set()
    for name in sorted(choices - later - {*WITHOUT_EFFECT}):
        protocol = _new(kind)
        _change(getattr(protocol, name))
        after = _steps(protocol)
        # Without sets of picks, *deep consensus* has steps that pick.
        is_as_long = name == "inputCoordinates" or len(after) == len(before)
        if not is_as_long or {*before} & {*after}:
            without_effect.append(name)
    assert without_effect == []


@pytest.mark.parametrize("name", sorted(LABELS))
def test_labels_repeat_the_fusion_and_the_outputs_alone(name):
    protocol = _new(protocols.ProtDeepConsensusScore)
    before = _steps(protocol)
    _change(getattr(protocol, name))
    changed = {*_steps(protocol)} - {*before}
    assert {step.partition("[")[0] for step in changed} == {
        "fuseStep",
        "createOutputStep",
    }


@pytest.mark.parametrize("kind", CLASSES)
def test_how_a_run_is_carried_out_changes_no_step(kind):
    protocol = _new(kind)
    before = _steps(protocol)
    protocol.setObjLabel("another name")
    protocol.runMode.set(1)
    protocol.numberOfThreads.set(13)
    if hasattr(protocol, "gpuList"):
        protocol.gpuList.set("3")
        protocol.useGpu.set(False)
    assert _steps(protocol) == before == _steps(_new(kind))


def test_sets_are_told_apart_by_run_and_output():
    protocol = _new(ProtDeepConsensusPicks)
    _change(protocol.inputCoordinates)
    chosen = json.loads(fingerprint(protocol))
    assert chosen["inputCoordinates"] == ["9.outputCoordinates"]
    assert chosen["boxSize"] is None
    assert chosen["consensusRadius"] == 0.1


class TestContinue(SyntheticProject):
    """Runs that are continued with another form."""

    names = ("mic_1.mrc", "mic_2.mrc")

    def _again(self, protocol):
        """Continue as the project window does, later, in another process."""
        self.launchProtocol(protocol)
        return self.proj.getProtocol(protocol.getObjId(), fromRuns=False)

    def test_the_outputs_of_a_consensus_follow_the_form(self):
        inputs = [
            self.importPicks("a", pick(self.truth, seed=1)),
            self.importPicks("b", pick(self.truth, seed=2)),
        ]
        protocol = self.newProtocol(
            ProtDeepConsensusPicks,
            inputCoordinates=[each.outputCoordinates for each in inputs],
            minPickers=2,
        )
        self.launchProtocol(protocol)
        self.assertLessEqual(protocol.outputCoordinatesAND.getSize(), 50)
        protocol.minPickers.set(1)
        protocol.boxSize.set(44)
        protocol = self._again(protocol)
        n_or = protocol.outputCoordinatesOR.getSize()
        self.assertEqual(protocol.outputCoordinatesAND.getSize(), n_or)
        self.assertEqual(protocol.outputCoordinatesAND.getBoxSize(), 44)

    def test_every_step_depends_on_the_micrographs(self):
        picks = self.importPicks("of exchanged micrographs", pick(self.truth, seed=3))
        protocol = self.newProtocol(
            ProtDeepConsensusPicks, inputCoordinates=[picks.outputCoordinates]
        )
        before = _steps(protocol)
        self.assertEqual(_steps(protocol), before)
        path = self.data / "micrographs" / self.names[0]
        content, status = path.read_bytes(), path.stat()
        path.write_bytes(content[:2000] + bytes(100) + content[2100:])
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.assertFalse({*before} & {*_steps(protocol)})
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        self.assertEqual(_steps(protocol), before)

    def test_an_output_that_is_no_longer_made_is_empty(self):
        scored = store_scored(type(self), (0.9, 0.1, 0.5))
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusSelect,
            inputParticles=output(scored, "outputParticles"),
        )
        self.launchProtocol(protocol)
        self.assertEqual(protocol.outputParticles.getSize(), 2)
        protocol.threshold.set(1.5)
        protocol = self._again(protocol)
        self._check_sizes(protocol, particles=(0, 3), coordinates=(0, 3))
        self.assertIn("0 kept of 3", protocol.summary()[0])
        protocol.threshold.set(0.7)
        protocol = self._again(protocol)
        self._check_sizes(protocol, particles=(1, 2), coordinates=(1, 2))
        protocol.inputParticles.set(None)
        protocol.inputCoordinates.copy(output(scored, "outputCoordinates"))
        protocol = self._again(protocol)
        self._check_sizes(protocol, particles=(0, 0), coordinates=(1, 2))

    def _check_sizes(self, protocol, **expected):
        for kind, sizes in expected.items():
            for suffix, size in zip(("", "Rejected"), sizes, strict=True):
                items = getattr(protocol, f"output{kind.capitalize()}{suffix}")
                self.assertEqual(items.getSize(), size)
                self.assertEqual(len(list(items.iterItems())), size)
                items.close()  # the next run writes another file
