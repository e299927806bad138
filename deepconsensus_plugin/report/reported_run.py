# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of a finished run, for its summary and its report."""

from __future__ import annotations

import importlib.metadata
import math
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pyworkflow.protocol import Protocol

from deepconsensus_plugin import __version__
from deepconsensus_plugin.convert import masks_of, micrographs_from_set, observed_in
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.serialisation import to_plain
from deepconsensus_plugin.core.types import FloatArray, Micrograph
from deepconsensus_plugin.core.usable_area.bad_micrographs import describe_left_out
from deepconsensus_plugin.plots.picture import write_picture
from deepconsensus_plugin.report.evaluation import (
    Truth,
    compare,
    evaluate_accepted,
    evaluate_pickers,
)
from deepconsensus_plugin.report.left_out import read_left_out, read_not_imported
from deepconsensus_plugin.report.scored import (
    ScoredCandidates,
    read_picked,
    read_scored,
    scored_coordinates,
)

SCREEN = "ProtDeepConsensusScreen"
SCORERS = ("ProtDeepConsensusScore", SCREEN)
SELECTORS = ("ProtDeepConsensusSelect", SCREEN)
"""Protocols that score candidates and that accept some; *deep consensus* does both."""

PICKERS = ("ProtNetworkPick",)
"""Protocols of a run without scoring; its result are their picks."""

_N_BINS = 20
_LINK = re.compile(r"\[\[([^\]]*)\]\[[^\]]*\]\]")


@dataclass(frozen=True, eq=False)
class ReportedRun:
    """Finished run that a report describes.

    Parameters
    ----------
    name : str
        Name of the run.
    summary : mapping
        Content of ``summary.json`` without settings and names of files.
    protocols : sequence of Protocol
        All, in the order they ran.
    scored : ScoredCandidates
        Scored candidates of the run.
    micrographs : sequence of Micrograph
        Those of the candidates, all of them.
    figures : mapping, optional
        Content of ``metrics.json``, where there is a truth.
    masks : Path, optional
        Folder of the masks of the micrographs.
    """

    name: str
    summary: Mapping[str, Any]
    protocols: Sequence[Protocol]
    scored: ScoredCandidates
    micrographs: Sequence[Micrograph]
    figures: Mapping[str, Any] | None = None
    masks: Path | None = None

    def only(self, *class_names: str) -> Protocol | None:
        """Return the protocol of a class, the first that there is; None without one."""
        return _first(self.protocols, class_names)

    @property
    def selected(self) -> Protocol | None:
        """Protocol that accepted or rejected the candidates; None after picking."""
        return _first(self.protocols, SELECTORS)

    @property
    def calibration(self) -> CalibrationReport | None:
        """Expected figures without truth; None where scores are the network's own."""
        scores = self.only(*SCORERS)
        return None if scores is None else scores.readCalibration()


def collect_run(
    name: str, protocols: Sequence[Protocol], costs: Mapping[str, StageCost]
) -> ReportedRun:
    """Return the results of finished protocols.

    Parameters
    ----------
    name : str
        Name of the run.
    protocols : sequence of Protocol
        In the order they ran. A *score particles* and a *select by score* are there,
        or *deep consensus* for either; or else a *pick with a network*.
    costs : mapping of label to StageCost
        Cost of each protocol.
    """
    scored_by, calibration = _first(protocols, SCORERS), None
    expected: dict[str, Any] = {}
    if scored_by is None:
        picked_by = _first(protocols, PICKERS)
        scored, coordinates = read_picked(picked_by), picked_by.outputCoordinates
        expected = _expected_of_picks(picked_by)
    else:
        scored = read_scored(scored_by, _first(protocols, SELECTORS))
        coordinates = scored_coordinates(scored_by)
        calibration = scored_by.readCalibration()
    micrographs = micrographs_from_set(
        coordinates.getMicrographs(), left_out=read_left_out(protocols)
    )
    summary = {
        **common_summary(protocols, costs),
        "box_size": coordinates.getBoxSize(),
        "observed": observed_in(scored.candidates).observed,
        "micrograph_shapes": {item.name: item.shape for item in micrographs},
        "micrograph_paths": {
            item.name: str(item.path.resolve()) for item in micrographs
        },
        "sampling_rate": coordinates.getMicrographs().getSamplingRate(),
        "threshold": to_plain(scored.threshold),
        "acceptance": to_plain(scored.told),
        "calibration": to_plain(calibration),
        **expected,
        "score_histogram": score_histogram(scored.score),
    }
    figures = None
    if _first(protocols, ["ProtEvaluatePicks"]) is not None:
        figures = _detection_metrics(protocols, scored)
        summary["comparison"] = compare(figures)
    return ReportedRun(
        *(name, summary, protocols, scored, micrographs, figures),
        masks=masks_of(coordinates),
    )


def common_summary(
    protocols: Sequence[Protocol], costs: Mapping[str, StageCost]
) -> dict[str, Any]:
    """Return what the summary of any run tells."""
    return {
        "sets": _sizes(protocols),
        "protocols": {p.getObjLabel(): _summary_of(p) for p in protocols},
        "left_out": read_left_out(protocols),
        "timings": {label: to_plain(cost) for label, cost in costs.items()},
        "versions": _versions(),
    }


def _expected_of_picks(picked: Protocol) -> dict[str, Any]:
    """Return what is expected of picks or why nothing is, and the null control."""
    result = picked.readResult()
    expected = None
    if math.isfinite(result.expected_precision):
        figures = {
            "precision": result.expected_precision,
            "recall": result.expected_recall,
        }
        expected = to_plain(figures)
    return {"expected": expected, "why": result.why, "null": to_plain(result.null)}


def _summary_of(protocol: Protocol) -> list[str]:
    """Return the summary of a protocol, with paths where Scipion's window has links."""
    lines = [_LINK.sub(r"\1", line) for line in protocol.summary()]
    return [*describe_left_out(read_not_imported(protocol)), *lines]


def _first(
    protocols: Sequence[Protocol], class_names: Sequence[str]
) -> Protocol | None:
    by_class = {p.getClassName(): p for p in protocols}
    return next((by_class[name] for name in class_names if name in by_class), None)


def write_run_picture(path: Path, run: ReportedRun) -> None:
    """Write a PNG of the micrograph chosen by `choose_micrograph`."""
    write_picture(
        path,
        run.micrographs,
        run.scored.candidates,
        run.scored.reason,
        box_size=run.summary["box_size"],
        masks=run.masks,
    )


def _detection_metrics(
    protocols: Sequence[Protocol], scored: ScoredCandidates
) -> dict[str, Any]:
    """Return the figures at what was accepted, and those of the pickers."""
    evaluated = _first(protocols, ["ProtEvaluatePicks"])
    selected = _first(protocols, SELECTORS)
    truth = Truth.of(evaluated)
    figures = (
        evaluated.readFigures()
        if selected is None
        else evaluate_accepted(
            truth,
            scored.candidates,
            scored.score,
            scored.accepted,
            threshold=scored.threshold,
        )
    )
    consensus = _first(protocols, ["ProtDeepConsensusPicks"])
    pickers = (
        {}
        if consensus is None
        else evaluate_pickers(truth, consensus, scored.candidates)
    )
    return {**figures, "pickers": pickers}


def _sizes(protocols: Sequence[Protocol]) -> dict[str, int]:
    """Return the number of items of every output, by protocol and output."""
    return {
        f"{protocol.getObjLabel()}.{name}": output.getSize()
        for protocol in protocols
        for name, output in protocol.iterOutputAttributes()
        if hasattr(output, "getSize")
    }


def score_histogram(scores: FloatArray) -> dict[str, list[float]]:
    """Return edges and counts of bars of the scores that are numbers."""
    counts, edges = np.histogram(
        scores[np.isfinite(scores)], bins=_N_BINS, range=(0, 1)
    )
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _versions() -> dict[str, str]:
    names = ("scipion-pyworkflow", "scipion-em", "keras", "tensorflow", "numpy")
    return {
        "python": platform.python_version(),
        "deepconsensus_plugin": __version__,
        **{name: _version(name) for name in names},
    }


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed as a package"
