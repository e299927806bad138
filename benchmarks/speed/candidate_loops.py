# SPDX-License-Identifier: GPL-3.0-or-later
"""Processor time of what looks at all candidates: consensus, thresholds and truth.

    python -m benchmarks.speed.candidate_loops [N_MICROGRAPHS ...]

Three pickers of 200 picks a micrograph, three quarters of them at particles: the
consensus with all that its node looks at, a threshold with places on the union of
candidates, and the picks of one picker against the truth.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.acceptance.accept import accept
from deepconsensus_plugin.core.acceptance.places import Places
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.calibration.thresholds import AUTOMATIC
from deepconsensus_plugin.core.metrics.evaluation import evaluate_picks
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules, combine_picks
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates

_ON_A_MICROGRAPH, _N_PICKERS = 200, 3
_AT_PARTICLES = 0.75
_BOX, _SIDE = 120, 4096

Result = TypeVar("Result")
Truth = dict[str, ScoredCoordinates]


def draw(n_micrographs: int) -> tuple[list[PickerPicks], Truth]:
    """Return the picks of all pickers, and the particles."""
    rng = np.random.default_rng(0)
    found: list[Truth] = [{} for _ in range(_N_PICKERS)]
    truth: Truth = {}
    for number in range(n_micrographs):
        name = f"{number:05d}.mrc"
        particles = rng.uniform(0, _SIDE, (_ON_A_MICROGRAPH, 2))
        truth[name] = ScoredCoordinates.from_arrays(particles)
        for picks in found:
            right = particles[rng.random(_ON_A_MICROGRAPH) < _AT_PARTICLES]
            right = right + rng.normal(0, 0.025 * _BOX, right.shape)
            wrong = rng.uniform(0, _SIDE, (_ON_A_MICROGRAPH - len(right), 2))
            yx = np.concatenate([right, wrong])
            score = rng.random(len(yx)) + (np.arange(len(yx)) < len(right))
            picks[name] = ScoredCoordinates.from_arrays(yx, score)
    pickers = [PickerPicks(f"picker {i}", _BOX, each) for i, each in enumerate(found)]
    return pickers, truth


def times_of(n_micrographs: int) -> dict[str, float]:
    """Return the processor seconds of each task."""
    pickers, truth = draw(n_micrographs)
    shapes = dict.fromkeys(truth, (_SIDE, _SIDE))
    consensus_s, combined = timed(
        lambda: combine_picks(pickers, ConsensusRules(), shapes=shapes)
    )
    candidates = combined.candidates
    places = Places(
        candidates.yx,
        candidates.micrograph_index,
        np.full((n_micrographs, 2), float(_SIDE)),
        _BOX,
        1.0,
    )
    score = np.random.default_rng(1).random(len(candidates))
    rule = AcceptanceRule(threshold=AUTOMATIC, spacing=Spacing())
    threshold_s, _ = timed(lambda: accept(rule, score, places).summarise())
    truth_s, _ = timed(
        lambda: evaluate_picks(
            *(pickers[0].coordinates, truth, shapes),
            box_size=_BOX,
            radius_px=0.25 * _BOX,
        )
    )
    return {"consensus": consensus_s, "threshold": threshold_s, "truth": truth_s}


def timed(act: Callable[[], Result]) -> tuple[float, Result]:
    """Return the processor seconds of one run, and what it returned."""
    started = time.process_time()
    result = act()
    return time.process_time() - started, result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("n_micrographs", nargs="*", type=int, default=[500, 5000])
    sizes = parser.parse_args().n_micrographs
    measured = {n: times_of(n) for n in sizes}
    rows = [
        [task, *(f"{measured[n][task]:.2f} s" for n in sizes)]
        + [
            f"{math.log(measured[b][task] / measured[a][task]) / math.log(b / a):.2f}"
            for a, b in itertools.pairwise(sizes)
        ]
        for task in ("consensus", "threshold", "truth")
    ]
    header = ["task", *(f"{n} micrographs" for n in sizes)]
    header += [f"growth {a} - {b}" for a, b in itertools.pairwise(sizes)]
    print(markdown_table(header, rows))


if __name__ == "__main__":
    main()
