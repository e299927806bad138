# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of a consensus: agreement, reliability and offsets of the pickers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from matplotlib.figure import Figure
from pyworkflow.protocol.params import EnumParam, LabelParam
from pyworkflow.viewer import DESKTOP_TKINTER, ProtocolViewer, View

from deepconsensus_plugin.convert import micrographs_from_set
from deepconsensus_plugin.core.alignment import measure_offsets
from deepconsensus_plugin.core.calibration.reliability import estimate_reliability
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus.agreement import (
    compare_pickers,
    count_combinations,
)
from deepconsensus_plugin.core.pipeline.fuse import can_fuse
from deepconsensus_plugin.core.types import DIAMETER_PER_BOX, Micrograph
from deepconsensus_plugin.plots.agreement import draw_agreement
from deepconsensus_plugin.plots.combinations import draw_combinations
from deepconsensus_plugin.plots.offsets import draw_offsets, offsets_size
from deepconsensus_plugin.plots.reliability import draw_reliability
from deepconsensus_plugin.protocols.consensus.protocol_consensus import (
    ProtDeepConsensusPicks,
)
from deepconsensus_plugin.viewers.figures import figure_view
from deepconsensus_plugin.viewers.found_by import centres_by_picker, centres_by_votes
from deepconsensus_plugin.viewers.micrograph_browser import MicrographBrowser, Picks

_ALL_PICKERS = "all: by the number of pickers"
_TITLE = "Consensus"

_ENTRIES = (
    (
        "showAgreement",
        "Agreement, pair by pair",
        "What share of the candidates of one picker each other one found too, "
        "on the micrographs where both were run.",
    ),
    (
        "showCombinations",
        "Who found what",
        "How many candidates were found by exactly which pickers.",
    ),
    (
        "showReliability",
        "How reliable each picker is",
        "Expected precision and recall of each picker, with 95 % intervals, "
        "from nothing but who agrees with whom and the pickers' own scores. It "
        "takes some seconds. *Score particles* knows more: it adds what the "
        "network sees.",
    ),
    (
        "showOffsets",
        "Offsets between pickers",
        "Where the picks of each picker lie relative to those of the picker "
        "that agrees best with all others. A pile in the circle is right; a "
        "pile elsewhere is a shift; none at all are mirrored or scaled picks, "
        "or pickers that saw nothing in common.",
    ),
)
"""Entries on the pickers: name of the parameter, label, help."""


class DeepConsensusPicksViewer(ProtocolViewer):
    """Agreement, reliability and offsets of the pickers, and their candidates."""

    _label = "agreement of pickers"
    _environments = [DESKTOP_TKINTER]
    _targets = [ProtDeepConsensusPicks]

    def _defineParams(self, form):
        form.addSection(label="Pickers")
        for name, label, help_ in _ENTRIES:
            form.addParam(name, LabelParam, label=label, help=help_)
        self._defineMicrographParams(form)

    def _defineMicrographParams(self, form):
        form.addSection(label="Micrographs")
        form.addParam(
            "overlayPicker",
            EnumParam,
            choices=[_ALL_PICKERS, *self._pickers()],
            default=0,
            label="Picker",
            help="Colour the candidates by how many pickers found them, or by whether "
            "this one did.",
        )
        form.addParam(
            "showMicrographs",
            LabelParam,
            label="Candidates on the micrographs",
            help="One micrograph at a time, low-passed; the arrow keys change it too.",
        )

    def _getVisualizeDict(self):
        return {
            "showAgreement": self._showAgreement,
            "showCombinations": self._showCombinations,
            "showReliability": self._showReliability,
            "showOffsets": self._showOffsets,
            "showMicrographs": self._showMicrographs,
        }

    def _showAgreement(self, paramName=None) -> list[View]:
        agreement = compare_pickers(self.candidates)
        return self._draw((7, 5.5), lambda figure: draw_agreement(figure, agreement))

    def _showCombinations(self, paramName=None) -> list[View]:
        combinations = count_combinations(self.candidates)
        return self._draw(
            (8.5, 5.5), lambda figure: draw_combinations(figure, combinations)
        )

    def _showReliability(self, paramName=None) -> list[View]:
        if not can_fuse(self.candidates):
            return self._say("The votes of a single picker say nothing about it.")
        return self._draw(
            (9.5, 2 + 0.6 * len(self.candidates.pickers)),
            lambda figure: draw_reliability(figure, self.reliability),
        )

    def _showOffsets(self, paramName=None) -> list[View]:
        box = self.protocol.outputCoordinatesOR.getBoxSize()
        shapes = {mic.name: mic.shape for mic in self.micrographs}
        picks = self.protocol.readPickers()
        offsets = measure_offsets(picks, shapes, box_size=box)
        if not offsets:
            return self._say("There is one picker only: nothing to compare it with.")
        radius = self.protocol.consensusRadius.get() * box
        return self._draw(
            offsets_size(len(offsets)),
            lambda figure: draw_offsets(figure, offsets, consensus_radius_px=radius),
        )

    def _showMicrographs(self, paramName=None) -> list[View]:
        view = figure_view((8, 8.8), _TITLE)
        box = self.protocol.outputCoordinatesOR.getBoxSize()
        MicrographBrowser(
            view.getFigure(),
            self.micrographs,
            self._picksOn,
            diameter_px=DIAMETER_PER_BOX * box,
        )
        return [view]

    def _picksOn(self, micrograph: str) -> Picks:
        here = self.candidates.on_micrograph(micrograph)
        if self.overlayPicker.get() == 0:
            return centres_by_votes(here)
        return centres_by_picker(here, self._pickers()[self.overlayPicker.get() - 1])

    def _validate(self):
        if self.protocol.readCandidates() is None:
            return ["There are no candidates yet: wait until the run has finished."]
        return []

    # -------------------------- what is looked at --------------------------
    @cached_property
    def candidates(self) -> Candidates:
        """Candidates of the finished run."""
        return self.protocol.readCandidates()

    @cached_property
    def micrographs(self) -> list[Micrograph]:
        """Micrographs that any picker was run on, in the order of names."""
        known = dict(
            zip(self.candidates.micrographs, self.candidates.observed, strict=True)
        )
        found = micrographs_from_set(self.protocol.getInputMicrographs())
        seen = [mic for mic in found if mic.name in known and known[mic.name].any()]
        return sorted(seen, key=lambda mic: mic.name)

    @cached_property
    def reliability(self) -> CalibrationReport:
        """Expected reliability of the pickers."""
        return estimate_reliability(self.candidates)

    def _pickers(self) -> list[str]:
        candidates = self.protocol.readCandidates()
        return [] if candidates is None else list(candidates.pickers)

    def _draw(
        self, size: tuple[float, float], draw: Callable[[Figure], None]
    ) -> list[View]:
        view = figure_view(size, _TITLE)
        draw(view.getFigure())
        return [view]

    def _say(self, message: str) -> list[View]:
        return [self.infoMessage(message, _TITLE)]
