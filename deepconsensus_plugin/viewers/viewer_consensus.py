# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of a consensus: agreement, reliability and offsets of the pickers."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path

from pwem.objects import SetOfMicrographs
from pyworkflow.protocol import Protocol
from pyworkflow.viewer import DESKTOP_TKINTER, View, Viewer

from deepconsensus_plugin.convert import masks_of, micrographs_from_set
from deepconsensus_plugin.core.acceptance.expectation import describe_withheld
from deepconsensus_plugin.core.alignment import measure_offsets
from deepconsensus_plugin.core.calibration.reliability import estimate_reliability
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus.agreement import (
    compare_pickers,
    count_combinations,
)
from deepconsensus_plugin.core.pipeline.fuse import can_fuse
from deepconsensus_plugin.plots.agreement import draw_agreement
from deepconsensus_plugin.plots.agreement_radius import draw_agreement_radius
from deepconsensus_plugin.plots.combinations import draw_combinations
from deepconsensus_plugin.plots.offsets import draw_offsets
from deepconsensus_plugin.plots.reliability import draw_reliability
from deepconsensus_plugin.protocols.consensus.protocol_consensus import (
    ProtDeepConsensusPicks,
)
from deepconsensus_plugin.viewers.found_by import centres_by_picker, centres_by_votes
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs
from deepconsensus_plugin.viewers.tabs.frame import TabsView
from deepconsensus_plugin.viewers.tabs.tab import (
    MarkedMicrographs,
    MicrographsTab,
    Plot,
    PlotTab,
    Tab,
)

_TITLE = "Consensus"
_BY_VOTES = "number of pickers"
_NOTHING_YET = "There are no candidates yet; wait until the run has finished."


class DeepConsensusPicksViewer(Viewer):
    """Agreement, reliability and offsets of the pickers, and their candidates."""

    _label = "agreement of pickers"
    _environments = [DESKTOP_TKINTER]
    _targets = [ProtDeepConsensusPicks]

    def _visualize(self, obj: Protocol, **kwargs) -> list[View]:
        if not obj.hasAttribute("outputCoordinatesOR"):
            return [self.infoMessage(_NOTHING_YET, _TITLE)]
        title = f"{_TITLE}: {obj.getRunName()}"
        return [TabsView(title, ConsensusShown(obj).tabs(), self.getParent())]


class ConsensusShown:
    """Content of the window of a finished consensus; its methods may be slow.

    Parameters
    ----------
    protocol : ProtDeepConsensusPicks
        The run.
    """

    def __init__(self, protocol: ProtDeepConsensusPicks):
        self._protocol = protocol
        self._folder = Path(protocol.getProject().getPath()).absolute()

    def tabs(self) -> list[Tab]:
        """Return the tabs of the window."""
        return [
            PlotTab(
                "Agreement",
                "Share of the candidates of one picker that each other picker found "
                "too, on the micrographs where both were run.",
                self.agreement,
            ),
            PlotTab(
                "Combinations",
                "Number of candidates that were found by exactly these pickers.",
                self.combinations,
            ),
            PlotTab(
                "Reliability",
                "Expected precision and recall of each picker, from the agreement of "
                "the pickers and their own scores alone. The report of a selection "
                "has figures that include the scores of the network.",
                self.reliability,
            ),
            PlotTab(
                "Offsets",
                "Picks of each picker relative to those of the picker that agrees best "
                "with all others. A pile inside the circle is right; a pile elsewhere "
                "is a shift; no pile means mirrored or scaled picks, or pickers that "
                "have nothing in common.",
                self.offsets,
            ),
            PlotTab(
                "Radius",
                "Candidates that pickers agree on at each consensus radius. At the "
                "plateau, 95 % of the agreement within the merge radius is reached. "
                "The wizard of the radius on the form shows its effect on the "
                "micrographs.",
                self.radius,
            ),
            MicrographsTab("Micrographs", self.marked),
        ]

    def agreement(self) -> Plot:
        """Return the matrix of agreement."""
        return Plot(partial(draw_agreement, agreement=compare_pickers(self.candidates)))

    def combinations(self) -> Plot:
        """Return the candidates by who found them."""
        combinations = count_combinations(self.candidates)
        return Plot(partial(draw_combinations, combinations=combinations))

    def reliability(self) -> Plot | str:
        """Return expected precision and recall, of two pickers or more."""
        if not can_fuse(self.candidates):
            return "The votes of a single picker say nothing about it."
        micrographs = micrographs_from_set(self._micrographs)
        shapes = {micrograph.name: micrograph.shape for micrograph in micrographs}
        report = estimate_reliability(self.candidates, shapes)
        if report.why_withheld is not None:
            return describe_withheld(report.why_withheld)
        return Plot(partial(draw_reliability, report=report))

    def offsets(self) -> Plot | str:
        """Return the offsets of all pickers but the reference."""
        micrographs = micrographs_from_set(self._micrographs)
        shapes = {micrograph.name: micrograph.shape for micrograph in micrographs}
        picks = self._protocol.readPickers()
        offsets = measure_offsets(picks, shapes, box_size=self._boxSize)
        if not offsets:
            return "There is one picker only: nothing to compare it with."
        radius = self._protocol.consensusRadius.get() * self._boxSize
        draw = partial(draw_offsets, offsets=offsets, consensus_radius_px=radius)
        return Plot(draw)

    def radius(self) -> Plot | str:
        """Return the agreement over the radius."""
        report = self._protocol.readReport()
        if report.curve is None:
            return (
                "The agreement at other radii is not there: there is one picker only, "
                "or an earlier version of the plugin made the run."
            )
        rate = self._micrographs.getSamplingRate()
        draw = partial(
            draw_agreement_radius,
            curve=report.curve,
            chosen=report.consensus_radius,
            box_extent_A=self._boxSize * rate,
        )
        return Plot(draw)

    def marked(self) -> MarkedMicrographs:
        """Return the micrographs that any picker was run on, with the candidates."""
        return MarkedMicrographs(
            self._seen(),
            {
                _BY_VOTES: lambda name: centres_by_votes(self._on(name)),
                **{
                    picker: partial(self._byPicker, picker=picker)
                    for picker in self.candidates.pickers
                },
            },
        )

    # -------------------------- what is looked at --------------------------
    @cached_property
    def candidates(self) -> Candidates:
        """Candidates of the run."""
        return self._protocol.readCandidates()

    @property
    def _micrographs(self) -> SetOfMicrographs:
        return self._protocol.getInputMicrographs()

    @property
    def _boxSize(self) -> int:
        return self._protocol.outputCoordinatesOR.getBoxSize()

    def _on(self, micrograph: str) -> Candidates:
        return self.candidates.on_micrograph(micrograph)

    def _byPicker(self, micrograph: str, *, picker: str):
        return centres_by_picker(self._on(micrograph), picker)

    def _seen(self) -> ShownMicrographs:
        every = ShownMicrographs.of_set(
            self._micrographs,
            folder=self._folder,
            box_size=self._boxSize,
            masks=masks_of(self._protocol.outputCoordinatesOR),
        )
        candidates = self.candidates
        observed = dict(
            zip(candidates.micrographs, candidates.observed.any(axis=1), strict=True)
        )
        return every.only(name for name in every.names if observed.get(name, False))
