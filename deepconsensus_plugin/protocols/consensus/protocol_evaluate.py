# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: evaluate a set of coordinates against the true particles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyworkflow.protocol.params as params
from pwem.objects import SetOfMicrographs
from pwem.protocols import EMProtocol

from deepconsensus_plugin.convert import coordinates_from_set, micrographs_from_set
from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.metrics.evaluation import (
    MatchRules,
    evaluate_picks,
    rank_accepted_first,
    read_curve,
)
from deepconsensus_plugin.core.metrics.stored_figures import read_figures
from deepconsensus_plugin.core.types import FloatArray, ScoredCoordinates
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.input_checks import describeLost
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm

MATCHING = ParameterForm(MatchRules)


class ProtEvaluatePicks(Appearance, EMProtocol):
    """Compare coordinates with the true ones, matched one to one.

    Only micrographs that are in both sets are compared. The truth is often incomplete,
    so the precision is a lower bound. Every figure is given for a blind lattice, too: a
    regular grid of as many picks.
    """

    _label = "compare with truth"

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        form.addParam(
            "inputCoordinates",
            params.PointerParam,
            pointerClass="SetOfCoordinates",
            important=True,
            label="Coordinates",
            help="Picks to compare with the truth. If they have scores, precision and "
            "recall are computed at all thresholds.",
        )
        form.addParam(
            "inputAccepted",
            params.PointerParam,
            pointerClass="SetOfCoordinates",
            allowsNull=True,
            label="Accepted coordinates",
            help="What a selection kept of the coordinates: precision, recall and F1 "
            "are those of exactly these, edges and neighbours included, and the curves "
            "still run over the scores of all. The picks must have scores. Default: "
            "all coordinates, or those with the minimum score.",
        )
        form.addParam(
            "inputTruth",
            params.PointerParam,
            pointerClass="SetOfCoordinates",
            important=True,
            label="Truth",
            help="Coordinates of the true particles. Distances are in pixels of their "
            "micrographs; picks on other micrographs are matched by name and scaled.",
        )
        MATCHING.define(form)

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict(
            {
                "metrics": self._getExtraPath("metrics.json"),
                "curve": self._getExtraPath("precision_recall.csv"),
            }
        )

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        self._insertFunctionStep(self.evaluateStep, fingerprint(self), needsGPU=False)

    def evaluateStep(self, form):
        """Match, count and write the figures."""
        rules, truth = MATCHING.read(self), self.inputTruth.get()
        micrographs = truth.getMicrographs()
        shapes = {m.name: m.shape for m in micrographs_from_set(micrographs)}
        picks, threshold = self._pickedIn(micrographs, rules)
        evaluation = evaluate_picks(
            picks,
            coordinates_from_set(truth, micrographs=micrographs),
            shapes,
            box_size=truth.getBoxSize(),
            radius_px=rules.match_radius * truth.getBoxSize(),
            threshold=threshold,
        )
        evaluation.write_curve(Path(self._getFileName("curve")))
        text = json.dumps(evaluation.to_dict(), indent=1, allow_nan=False)
        write_text(self._getFileName("metrics"), text + "\n")

    def _pickedIn(
        self, micrographs: SetOfMicrographs, rules: MatchRules
    ) -> tuple[dict[str, ScoredCoordinates], float | None]:
        """Return the picks, and the score from which they are accepted."""
        picks = coordinates_from_set(
            self.inputCoordinates.get(), micrographs=micrographs
        )
        accepted = self.inputAccepted.get()
        if accepted is None:
            return picks, rules.threshold
        return rank_accepted_first(
            picks, coordinates_from_set(accepted, micrographs=micrographs)
        )

    # -------------------------- information --------------------------
    def _validate(self):
        errors = []
        errors += describeLost("Coordinates", self.inputCoordinates.get())
        errors += describeLost("Accepted coordinates", self.inputAccepted.get())
        errors += describeLost("Truth", self.inputTruth.get())
        if self.inputAccepted.get() is not None and self.threshold.get() is not None:
            errors.append(
                "Minimum score: it has no effect together with *Accepted coordinates*; "
                "leave one of them out."
            )
        if self.inputTruth.get() is not None and not self.inputTruth.get().getBoxSize():
            errors.append(
                "Truth: the set has no box size, of which the match radius is a "
                "fraction; import it again with one."
            )
        return errors + MATCHING.describe_bad(self)

    def _summary(self):
        figures = self.readFigures()
        if figures is None:
            return ["Not run yet."]
        return [
            f"{figures['n_matched']} of {figures['n_truth']} particles found by "
            f"{self._describePicks(figures)} on {figures['n_micrographs']} "
            f"micrographs, within {figures['radius_px']:.1f} px.",
            *self._describeFigures(figures),
            *self._describePlaces(figures),
        ]

    def _describePicks(self, figures: dict[str, Any]) -> str:
        """Return of how many picks the figures are, and of which."""
        n_accepted, n_picks = figures["n_accepted"], figures["n_picks"]
        if self.inputAccepted.hasValue():
            return f"the {n_accepted} accepted of {n_picks} picks"
        if (lowest := self.threshold.get()) is not None:
            return (
                f"{n_accepted} of {n_picks} picks, with a score of {lowest:g} at least,"
            )
        return f"{n_picks} picks"

    def _describeFigures(self, figures: dict[str, Any]) -> list[str]:
        labels = {
            "precision": "Precision (lower bound)",
            "recall": "Recall",
            "f1": "F1",
            "average_precision": "Average precision over all scores",
        }
        lines = [
            _describe(label, name, figures)
            for name, label in labels.items()
            if figures[name] is not None
        ]
        if figures["best_f1"] is not None:
            lines.append(
                f"Best F1 {figures['best_f1']:.3f} at score "
                f"{figures['best_f1_threshold']:.3g}."
            )
        return lines

    def _describePlaces(self, figures: dict[str, Any]) -> list[str]:
        lines = []
        if figures["centre_rmse_px"] is not None:
            lines.append(
                f"Centring error {figures['centre_rmse_px']:.1f} px (root mean "
                f"square); mean shift x {_signed(figures['centre_shift_x_px'])} px, y "
                f"{_signed(figures['centre_shift_y_px'])} px."
            )
        if figures["n_not_observed"]:
            lines.append(
                f"{figures['n_not_observed']} micrographs of the truth are left out, "
                "since the picker was not run on them."
            )
        return lines

    def _methods(self):
        figures = self.readFigures()
        if figures is None:
            return []
        return [
            f"{self._describePicks(figures).capitalize()} were matched one to one with "
            f"{figures['n_truth']} particles within {self.matchRadius.get():g} of the "
            "box."
        ]

    def _citations(self):
        return []

    # -------------------------- used by others --------------------------
    def readFigures(self) -> dict[str, Any] | None:
        """Return the content of ``metrics.json``; None before the run."""
        self._createFilenameTemplates()
        path = Path(self._getFileName("metrics"))
        if not path.is_file():
            return None
        return read_figures(path)

    def readCurve(self) -> FloatArray:
        """Return threshold, precision and recall, shape (t, 3), of a finished run."""
        self._createFilenameTemplates()
        return read_curve(Path(self._getFileName("curve")))


def _signed(pixels: float) -> str:
    """Return a shift with its sign, of which zero has none."""
    return f"{pixels:+.1f}" if round(pixels, 1) else "0.0"


def _describe(label: str, name: str, figures: dict[str, Any]) -> str:
    """Return one figure with its interval and what a blind lattice reaches."""
    low, high = figures["intervals"].get(name, (None, None))
    spread = "" if low is None else f" (95 %: {low:.3f} to {high:.3f})"
    floor = figures["blind_lattice"][name]
    blind = "" if floor is None else f"; blind lattice {floor:.3f}"
    return f"{label} {figures[name]:.3f}{spread}{blind}."
