# SPDX-License-Identifier: GPL-3.0-or-later
"""Null control of the pickers: on noise, on empty ice, on simulated and real sets.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.consensus.null_control OUT [--sets NAME …] [--pickers NAME …]
        [--alarms N]

A set is `noise`, `empty ice`, a simulated one (`tetramer-40` …), `apoferritin` or
`empiar10017`; four micrographs of each are picked. Prints CSV: what is told, beside the
true share of particles among the best tenth of the peaks, and F1 at the thresholds of
the classical pickers. With ``--alarms``, the
difference of Gaussians and the correlation with a disc look at N single micrographs of
noise, and how often each finds evidence is printed instead.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.hydra.rows import hydra_request
from benchmarks.hydra.subsets import load_set
from benchmarks.hydra.thresholds import f1_at
from benchmarks.sets.simulated_sets import make_set
from benchmarks.sets.truth_sets import TruthSet
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.pixel_types import PixelType, write_micrograph
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.metrics import summarise_matches
from deepconsensus_plugin.core.metrics.detections import MatchedPicks, match_picks
from deepconsensus_plugin.core.null_control.comparison import NullComparison
from deepconsensus_plugin.core.null_control.evidence import BEST_SHARE
from deepconsensus_plugin.core.pickers.classical.correlation import Reference
from deepconsensus_plugin.core.pickers.classical.parameters import (
    PickMethod,
    PickParameters,
)
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.pickers.populations.score_threshold import find_threshold
from deepconsensus_plugin.core.pipeline import network_pick
from deepconsensus_plugin.core.pipeline.classical_peaks import (
    KeptPeaks,
    compare_with_nulls,
)
from deepconsensus_plugin.core.pipeline.pick import PickRequest
from deepconsensus_plugin.core.pipeline.pick import run as run_pick
from deepconsensus_plugin.core.simulation import (
    Contamination,
    Crowd,
    SimulationParameters,
)
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

N_MICROGRAPHS = 4
SHAPE, RATE, DIAMETER_A = (1024, 1024), 2.5, 160.0

SETS = ("noise", "empty ice", "tetramer-40", "wishbone-80", "shell-160")
REAL = ("apoferritin", "empiar10017")
CLASSICAL = {
    "gaussians": PickMethod.GAUSSIANS,
    "correlation": PickMethod.CORRELATION,
}
GENERAL = "general model"

HEADER = (
    "set,picker,compared,best tenth,on nulls,share in excess,true share,evidence,"
    "F1 of all,scores separate,half in excess,best F1"
)

Found = tuple[NullComparison | None, Mapping[str, ScoredCoordinates]]


def write_noise(folder: Path, n_micrographs: int) -> tuple[Micrograph, ...]:
    """Write micrographs of smooth noise; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for number in range(n_micrographs):
        path = folder / f"noise{number}.mrc"
        if not path.is_file():
            white = np.random.default_rng(number).normal(size=SHAPE)
            image = gaussian_filter(white, 2.5) + 0.02 * white
            write_micrograph(path, image, PixelType.FLOAT32, sampling_rate=RATE)
        made.append(Micrograph(path.name, path, SHAPE, RATE))
    return tuple(made)


def load(name: str, folder: Path) -> TruthSet:
    """Return four micrographs of a set."""
    if name == "noise":
        micrographs = write_noise(folder / "noise", N_MICROGRAPHS)
        nothing = ScoredCoordinates.from_arrays([])
        truth = dict.fromkeys([each.name for each in micrographs], nothing)
        return TruthSet(name, micrographs, truth, DIAMETER_A, 96)
    if name == "empty ice":
        parameters = SimulationParameters(
            crowd=Crowd(particles_per_micrograph=0),
            contamination=Contamination(None, 0, 0, 0, 0, 0),
            seed=11,
        )
        made = make_set(
            name, parameters, folder / "sets" / name, n_micrographs=N_MICROGRAPHS
        )
        return made.whole
    whole = load_set(name, folder)
    chosen = np.linspace(0, len(whole.micrographs) - 1, N_MICROGRAPHS).round()
    some = tuple(whole.micrographs[index] for index in chosen.astype(int).tolist())
    return replace(whole, micrographs=some)


def find(picker: str, some: TruthSet, folder: Path) -> Found:
    """Return the null control of a picker, and all its peaks."""
    if picker == GENERAL:
        request = hydra_request(
            some.micrographs, some.diameter_A, folder, model=general_model()
        )
        found = network_pick.find_all(request, Progress())
        return network_pick.compare_with_nulls(request, found, Progress()), found
    asked = PickRequest(
        some.micrographs,
        PickParameters(some.diameter_A, CLASSICAL[picker]),
        folder / "peaks",
        folder / f"{picker}.h5",
        threshold=-np.inf,
    )
    null = run_pick(asked, Progress()).null
    return null, read_coordinates(asked.result)


def line(picker: str, some: TruthSet, folder: Path) -> str:
    """Return a row: what is told, and what is true."""
    null, found = find(picker, some, folder)
    truth = {each.name: some.truth[each.name] for each in some.micrographs}
    matched = match_picks(found, truth, radius_px=some.match_radius_px)
    lowest = np.quantile(matched.scores, 1 - BEST_SHARE)
    true_share = matched.is_match[matched.scores >= lowest].mean()
    if null is None:
        return f"{some.name},{picker},nothing found,,,,{true_share:.2f}"
    return (
        f"{some.name},{picker},{null.scorer},{null.n_real},{null.n_null:.0f},"
        f"{null.share_in_excess.describe()},{true_share:.2f},{null.has_evidence},"
        f"{','.join(_f1_of_thresholds(picker, null, matched))}"
    )


def _f1_of_thresholds(
    picker: str, null: NullComparison, matched: MatchedPicks
) -> list[str]:
    """Return F1 of all peaks, where scores separate, above the null, and the best."""
    if picker not in CLASSICAL:
        return []
    is_own = null.scorer == CLASSICAL[picker].value
    thresholds = (
        -np.inf,
        find_threshold(matched.scores),
        null.threshold_for(0.5) if is_own else None,
    )
    figures = ["" if t is None else f"{f1_at(matched, t):.3f}" for t in thresholds]
    return [*figures, f"{summarise_matches(matched).best_f1:.3f}"]


def print_false_alarms(folder: Path, n_micrographs: int) -> None:
    """Print how often single micrographs of noise give evidence."""
    micrographs = write_noise(folder / "noise", n_micrographs)
    gaussians = PickParameters(DIAMETER_A)
    disc = replace(gaussians, method=PickMethod.CORRELATION, reference=Reference.DISC)
    (folder / "alarms").mkdir(exist_ok=True)
    for parameters in (gaussians, disc):
        kept = KeptPeaks(folder / "alarms", parameters)
        n_alarms = 0
        for each in micrographs:
            peaks = {each.name: kept.of(each)}
            null = compare_with_nulls(kept, [each], peaks, Progress(), workers=1)
            n_alarms += null is not None and null.has_evidence
        print(f"{parameters.method.value}: {n_alarms} of {n_micrographs}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="*", default=[*SETS, *REAL])
    parser.add_argument("--pickers", nargs="*", default=[*CLASSICAL, GENERAL])
    parser.add_argument("--alarms", type=int, default=0)
    asked = parser.parse_args()
    if asked.alarms:
        print_false_alarms(asked.folder, asked.alarms)
        return
    print(HEADER)
    for name in asked.sets:
        some = load(name, asked.folder)
        for picker in asked.pickers:
            print(line(picker, some, asked.folder / name), flush=True)


if __name__ == "__main__":
    main()
