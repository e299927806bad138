# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets that are reviewed: candidates of finished runs, their evidence and the truth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.sets.real_sets import MATCH_RADIUS_PX, load_set
from benchmarks.sets.simulated_sets import GOOD, simulate_set
from benchmarks.sets.truth_sets import MATCH_RADIUS_IN_BOXES
from deepconsensus_plugin.core.averages.table import read_amplitude
from deepconsensus_plugin.core.calibration import Evidence
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.scores import read_scores
from deepconsensus_plugin.core.io.tables import read_candidates
from deepconsensus_plugin.core.simulation import true_coordinates
from deepconsensus_plugin.core.simulation.truth import read_truth
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.core.workflow.files import ChainFiles

Coordinates = Mapping[str, ScoredCoordinates]


@dataclass(frozen=True, eq=False)
class ReviewedSet:
    """Candidates of a finished run, and what is true.

    Parameters
    ----------
    name : str
        Name in tables.
    candidates : Candidates
        Those that can be judged, n.
    evidence : Evidence
        What the fusion is told of them, n.
    truth : mapping of micrograph name to ScoredCoordinates
        True centres.
    radius_px : float
        Largest distance of a match, pixels.
    bad : mapping of micrograph name to ScoredCoordinates, optional
        Places that experts judged bad; None where the truth is complete.
    """

    name: str
    candidates: Candidates
    evidence: Evidence
    truth: Coordinates
    radius_px: float
    bad: Coordinates | None = None


def read_evidence(
    folder: Path, *, with_network: bool = True
) -> tuple[Candidates, Evidence]:
    """Return the candidates that a folder of scores holds, and their evidence."""
    files = ChainFiles(folder)
    candidates = read_candidates(files.candidates)
    opinion = files.find_opinion(candidates)
    amplitude = read_amplitude(files.averages, len(candidates))
    network = read_scores(files.scores).mean if with_network else None
    rows = np.flatnonzero(candidates.can_be_judged)
    scores = (
        None if each is None else each[rows] for each in (network, opinion, amplitude)
    )
    judged = candidates.take(rows)
    return judged, Evidence.of_candidates(judged, *scores)


def real_set(name: str, project: Path, *, with_network: bool) -> ReviewedSet:
    """Return a combination of pickers on real micrographs from its project."""
    real = load_set(name)
    found = read_evidence(_score_run(project), with_network=with_network)
    return ReviewedSet(name, *found, real.truth, MATCH_RADIUS_PX, real.bad)


def simulated_set(name: str, folder: Path, *, with_network: bool) -> ReviewedSet:
    """Return a simulated set from its folder; its truth is all whole molecules."""
    whole = simulate_set(name, int(folder.name.rpartition("-")[2]), folder).whole
    found = read_evidence(folder, with_network=with_network)
    return ReviewedSet(name, *found, whole.truth, whole.match_radius_px)


def demo_set(project: Path, *, with_network: bool) -> ReviewedSet:
    """Return the demonstration from its project; its truth is the simulator's."""
    (made,) = project.glob("Runs/*SimulateMicrographs/extra")
    result = json.loads((made / "simulate.result.json").read_text())["result"]
    objects = {
        path.with_suffix(".mrc").name: read_truth(path)
        for path in sorted((made / "micrographs").glob("*.csv"))
    }
    truth = {name: true_coordinates(here, GOOD) for name, here in objects.items()}
    radius = MATCH_RADIUS_IN_BOXES * result["box_size"]
    found = read_evidence(_score_run(project), with_network=with_network)
    return ReviewedSet("demo", *found, truth, radius)


def _score_run(project: Path) -> Path:
    (folder,) = project.glob("Runs/*DeepConsensusScore/extra")
    return folder
