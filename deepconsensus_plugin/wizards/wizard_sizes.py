# SPDX-License-Identifier: GPL-3.0-or-later
"""Wizards of the box size and the particle diameter, measured on a micrograph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pwem.objects import SetOfMicrographs
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import micrographs_from_set
from deepconsensus_plugin.core.pickers.diameter.estimate import (
    DiameterEstimate,
    choose_looked_at,
    estimate_diameter,
)
from deepconsensus_plugin.protocols import (
    ProtClassicalPick,
    ProtDeepConsensusAverages,
    ProtDeepConsensusMask,
    ProtDeepConsensusPicks,
    ProtDeepConsensusScreen,
    ProtImportPicks,
    ProtNetworkPick,
)
from deepconsensus_plugin.protocols.pickers.picker_protocol import (
    trainingsWithDiameter,
)
from deepconsensus_plugin.wizards.form_wizard import (
    FormWizard,
    describeMicrographs,
    inputMicrographsOf,
    shownMicrographs,
)
from deepconsensus_plugin.wizards.measure import Measure
from deepconsensus_plugin.wizards.size_frame import SizeFrame
from deepconsensus_plugin.wizards.value_dialog import ValueDialog


class _SizeWizard(FormWizard):
    """Measures a length on the micrographs of a form."""

    _param = ""

    def measure(self, samplingRate: float) -> Measure:
        """Return what is measured on micrographs of this pixel size."""
        raise NotImplementedError

    def estimateOf(
        self, protocol: Protocol, micrographs: SetOfMicrographs
    ) -> Callable[[], DiameterEstimate] | None:
        """Return what estimates the diameter; None where it is not measured."""
        return None

    def describeFault(self, protocol: Protocol) -> str:
        """Return what has to be filled in before."""
        return describeMicrographs(protocol)

    def openWindow(self, form) -> None:
        """Open the window."""
        micrographs = inputMicrographsOf(form.protocol)
        shown = shownMicrographs(form.protocol, micrographs)
        measure = self.measure(micrographs.getSamplingRate())
        value = getattr(form.protocol, self._param).get()
        estimate = self.estimateOf(form.protocol, micrographs)
        ValueDialog(
            form.root,
            self._title,
            lambda parent: SizeFrame(
                parent, shown, measure, value=value, estimate=estimate
            ),
            lambda chosen: form.setVar(self._param, chosen),
        )


class DeepConsensusBoxSizeWizard(_SizeWizard):
    """Drags a box over a particle."""

    _title = "Box size"
    _param = "boxSize"
    _targets = [
        (ProtImportPicks, [_param]),
        (ProtClassicalPick, [_param]),
        (ProtDeepConsensusAverages, [_param]),
        (ProtDeepConsensusPicks, [_param]),
        (ProtDeepConsensusScreen, [_param]),
    ]

    def measure(self, samplingRate: float) -> Measure:
        """Return the side of a box."""
        return Measure.box(samplingRate)


class DeepConsensusDiameterWizard(_SizeWizard):
    """Drags a circle over a particle."""

    _title = "Particle diameter"
    _param = "particleDiameter"
    _targets = [
        (ProtClassicalPick, [_param]),
        (ProtDeepConsensusMask, [_param]),
        (ProtNetworkPick, [_param]),
        *((training, ["particleDiameter"]) for training in trainingsWithDiameter()),
    ]

    def measure(self, samplingRate: float) -> Measure:
        """Return the diameter of a particle."""
        return Measure.diameter(samplingRate)

    def estimateOf(
        self, protocol: Protocol, micrographs: SetOfMicrographs
    ) -> Callable[[], DiameterEstimate]:
        """Return what estimates the diameter from the micrographs."""
        some = choose_looked_at(micrographs_from_set(micrographs))
        folder = Path(protocol.getProject().getPath()).absolute()
        placed = [replace(each, path=folder / each.path) for each in some]
        return lambda: estimate_diameter(placed)
