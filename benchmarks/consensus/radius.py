# SPDX-License-Identifier: GPL-3.0-or-later
"""Effect of the consensus radius on EMPIAR-10017, without training, as a table.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.consensus.radius

For each set of pickers, radius by radius: the share of the agreement that is reached,
the particles to train on (AND) and how many of them are true, and the F1 of votes and
pickers' scores fused without a network. The plateau is found from the agreement alone;
the truth is used for evaluation only. One minute.

What networks make of it: ``benchmarks.consensus.real_data OUT --run
consensusRadius=R``, then ``benchmarks.consensus.accuracy OUT --radius R``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.sets.real_sets import (
    BOX_SIZE,
    MATCH_RADIUS_PX,
    PICKERS,
    RealSet,
    load_set,
)
from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.calibration import Evidence, fuse
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    choose_threshold,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.consensus.radius import RadiusStudy
from deepconsensus_plugin.core.metrics import summarise_matches
from deepconsensus_plugin.core.metrics.detection_metrics import DetectionMetrics
from deepconsensus_plugin.core.metrics.detections import match_picks
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
from deepconsensus_plugin.core.types import ScoredCoordinates

RADII = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
HEADER = (
    "set,radius,share of the agreement,pickers for AND,AND,of them true,"
    "recall of AND,fused F1 without network"
).split(",")

_EVERYTHING = -np.inf


def rows_of(real: RealSet) -> Iterator[list[object]]:
    """Yield a row for each radius, and for the plateau."""
    rules = ConsensusRules()
    pickers = real.read_pickers()
    study = RadiusStudy.of_some(
        pickers, box_size=BOX_SIZE, merge_radius=rules.merge_radius
    )
    curve = study.curve()
    plateau = curve.plateau
    for radius in sorted({*RADII, plateau}):
        candidates = find_consensus(
            pickers,
            consensus_radius_px=radius * BOX_SIZE,
            merge_radius_px=rules.merge_radius * BOX_SIZE,
        )
        m = rules.agreeing_on(candidates)
        agreed = _figures(real, candidates.agreed(m), _EVERYTHING)
        yield [
            real.name,
            f"{radius:g}{' (plateau)' * (radius == plateau)}",
            f"{curve.share_at(radius):.0%}",
            f"{m} of {len(candidates.pickers)}",
            agreed.n_picks,
            agreed.precision,
            agreed.recall,
            _fused(real, candidates).f1,
        ]


def _fused(real: RealSet, candidates: Candidates) -> DetectionMetrics:
    evidence = Evidence.of_candidates(candidates)
    fusion = fuse(evidence, rng=np.random.default_rng(0), n_resamples=0)
    threshold = choose_threshold(fusion.probability, AUTOMATIC)
    return _figures(real, candidates.by_micrograph(fusion.probability), threshold)


def _figures(
    real: RealSet, picks: dict[str, ScoredCoordinates], threshold: float
) -> DetectionMetrics:
    return summarise_matches(
        match_picks(picks, real.truth, radius_px=MATCH_RADIUS_PX, threshold=threshold)
    )


def main() -> None:
    """Print the table."""
    rows = [row for name in PICKERS for row in rows_of(load_set(name))]
    print(markdown_table(HEADER, rows))


if __name__ == "__main__":
    main()
