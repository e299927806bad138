# SPDX-License-Identifier: GPL-3.0-or-later
"""Tolerance to wrong labels (the paper's Tables 5 and 6) on simulated micrographs.

    python -m benchmarks.label_noise OUT [--snr 0.05] [--updates 150] [--quick]

A network learns from n putative particles and as many putative background boxes, of
which a share c is the other: particles are whole molecules by themselves, background
is anything half a box away from every molecule, with dirt in its natural share. It is
tested on other micrographs, correctly labelled. The paper's sets were curated by hand
from two real ones; here the signal to noise is chosen so that correct labels give about
the figures that the paper's give. Figures at the threshold of the largest MCC, as
there. Finished rows are in OUT and not computed again. About 20 minutes on two cores.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import markdown_table
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.micrographs import read_shape
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.metrics.classification import ClassificationMetrics
from deepconsensus_plugin.core.negatives import draw_negatives
from deepconsensus_plugin.core.parameters import TrainingParameters
from deepconsensus_plugin.core.pipeline import simulate, train
from deepconsensus_plugin.core.pipeline.requests import BoxSource, Role, TrainRequest
from deepconsensus_plugin.core.pipeline.simulate import SimulateRequest
from deepconsensus_plugin.core.preprocessing import (
    BoxPreprocessing,
    fitting_input_size,
)
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.simulation import (
    Crowd,
    Exposure,
    ObjectClass,
    SimulationParameters,
)
from deepconsensus_plugin.core.simulation.truth import read_truth, true_coordinates
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

SAMPLING_RATE, BOX_SIZE = 4.0, 60
N_TRAINING, N_TESTING = 34, 8
MOLECULES = tuple(set(ObjectClass) - {ObjectClass.CONTAMINANT})

# Corruption: MCC, precision, recall, accuracy, ROC-AUC on EMPIAR-10028, then -10061.
TABLE_5 = {
    0.00: ((0.934, 0.965, 0.952, 0.982, 0.992), (0.884, 0.937, 0.927, 0.961, 0.969)),
    0.25: ((0.906, 0.946, 0.948, 0.965, 0.987), (0.861, 0.928, 0.914, 0.950, 0.967)),
    0.30: ((0.875, 0.923, 0.942, 0.949, 0.978), (0.851, 0.918, 0.914, 0.944, 0.964)),
    0.40: ((0.722, 0.845, 0.872, 0.870, 0.926), (0.672, 0.834, 0.786, 0.849, 0.878)),
    0.45: ((0.435, 0.710, 0.736, 0.720, 0.776), (0.264, 0.652, 0.527, 0.630, 0.663)),
}
# Particles, corruption: precision and recall on EMPIAR-10028, then -10061.
TABLE_6 = {
    (3000, 0.30): "0.923/0.942, 0.918/0.914",
    (3000, 0.40): "0.839/0.902, 0.840/0.897",
    (3000, 0.45): "0.705/0.762, 0.695/0.817",
    (2000, 0.30): "0.920/0.923, 0.902/0.917",
    (2000, 0.40): "0.774/0.819, 0.835/0.890",
    (2000, 0.45): "0.662/0.698, 0.610/0.701",
    (1000, 0.30): "0.866/0.926, 0.876/0.952",
    (1000, 0.40): "0.738/0.820, 0.762/0.595",
    (1000, 0.45): "0.602/0.777, 0.581/0.731",
    (500, 0.30): "0.800/0.888, 0.816/0.900",
    (500, 0.40): "0.693/0.818, 0.726/0.586",
    (500, 0.45): "0.625/0.709, 0.578/0.604",
}

Marks = dict[str, ScoredCoordinates]


@dataclass(frozen=True)
class Labelled:
    """Micrographs with boxes that are particles, and as many that are not."""

    micrographs: tuple[Micrograph, ...]
    particles: Marks
    background: Marks


def make_sets(folder: Path, snr: float) -> tuple[Labelled, Labelled]:
    """Return what is learnt from and what is tested on, on different micrographs."""
    parameters = SimulationParameters(
        sampling_rate=SAMPLING_RATE,
        resolution_A=2 * SAMPLING_RATE,
        crowd=Crowd(particles_per_micrograph=180),
        exposure=Exposure(snr=snr),
    )
    request = SimulateRequest(
        parameters, N_TRAINING + N_TESTING, folder / "micrographs", folder / "truth.h5"
    )
    records = simulate.run(request, Progress()).micrographs
    micrographs = tuple(
        Micrograph(r.path.name, r.path, read_shape(r.path), SAMPLING_RATE)
        for r in records
    )
    objects = {r.path.name: read_truth(r.truth) for r in records}

    def labelled(chosen: tuple[Micrograph, ...]) -> Labelled:
        names = [micrograph.name for micrograph in chosen]
        good = {n: true_coordinates(objects[n], [ObjectClass.GOOD]) for n in names}
        molecules = {n: true_coordinates(objects[n], MOLECULES) for n in names}
        n_good = sum(map(len, good.values()))
        background = draw_negatives(
            chosen,
            molecules,
            n_good,
            box_size=BOX_SIZE,
            exclusion_radius_px=BOX_SIZE / 2,
            rng=np.random.default_rng(0),
        )
        return Labelled(chosen, good, background)

    return labelled(micrographs[:N_TRAINING]), labelled(micrographs[N_TRAINING:])


def corrupt(
    labelled: Labelled, n: int, share: float, rng: np.random.Generator
) -> tuple[Marks, Marks]:
    """Return n putative particles and n putative background boxes, some exchanged.

    Raises
    ------
    ValueError
        If there are fewer than `n` of either.
    """
    n_wrong = round(share * n)
    parts = [
        _divide(labelled.particles, (n - n_wrong, n_wrong), rng),
        _divide(labelled.background, (n_wrong, n - n_wrong), rng),
    ]
    particles, background = (_joined(*both) for both in zip(*parts, strict=True))
    return particles, background


def _divide(
    marks: Marks, sizes: Sequence[int], rng: np.random.Generator
) -> list[Marks]:
    """Return disjoint random parts of these sizes."""
    names = np.repeat(list(marks), [len(here) for here in marks.values()])
    if len(names) < sum(sizes):
        raise ValueError(f"expected {sum(sizes)} boxes, there are {len(names)}")
    part = np.full(len(names), -1)
    chosen: NDArray[np.intp] = rng.permutation(len(names))[: sum(sizes)]
    part[chosen] = np.repeat(np.arange(len(sizes)), sizes)
    return [
        {name: here.take(part[names == name] == i) for name, here in marks.items()}
        for i in range(len(sizes))
    ]


def _joined(first: Marks, second: Marks) -> Marks:
    return {
        name: ScoredCoordinates.from_arrays(
            np.concatenate([first[name].yx, second[name].yx])
        )
        for name in first
    }


def measure(
    sets: tuple[Labelled, Labelled], n: int, share: float, updates: int, out: Path
) -> ClassificationMetrics:
    """Train on corrupted labels, test on correct ones; from its file if it is there."""
    learnt, tested = sets
    place = out / f"{n}-{share:g}-{updates}"
    result = place / "figures.json"
    if result.exists():
        return from_plain(read_json(result), ClassificationMetrics, path=result)
    place.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([n, round(100 * share)])
    labelled = {
        Role.TRAINING: corrupt(learnt, n, share, rng),
        Role.TESTING: (tested.particles, tested.background),
    }
    sources = []
    for role, marks in labelled.items():
        for is_particle, coordinates in zip((True, False), marks, strict=True):
            name = f"{role.value}-{'particles' if is_particle else 'background'}"
            path = place / f"{name}.h5"
            write_coordinates(path, coordinates)
            sources.append(BoxSource(name, path, is_particle=is_particle, role=role))
    request = TrainRequest(
        micrographs=learnt.micrographs + tested.micrographs,
        sources=tuple(sources),
        box_size=BOX_SIZE,
        preprocessing=BoxPreprocessing(fitting_input_size(BOX_SIZE, SAMPLING_RATE)),
        parameters=TrainingParameters(n_models=1, n_updates=updates),
        dataset=place / "boxes.h5",
        model=place / "model",
    )
    figures = train.run(request, Progress()).testing
    if figures is None:
        raise RuntimeError("expected figures of the testing sets, received none")
    write_json(result, to_plain(figures))
    return figures


def table_5(found: dict[float, ClassificationMetrics]) -> str:
    """Return the figures at every level, the paper's below each other beside them."""
    rows = []
    for share, ours in found.items():
        figures = (ours.mcc, ours.precision, ours.recall, ours.accuracy, ours.roc_auc)
        paper = [
            " / ".join(f"{each:.3f}" for each in pair)
            for pair in zip(*TABLE_5[share], strict=True)
        ]
        cells = [
            f"**{mine:.3f}** ({theirs})"
            for mine, theirs in zip(figures, paper, strict=True)
        ]
        rows.append([f"{share:.0%}", *cells])
    header = ["corruption", "MCC", "precision", "recall", "accuracy", "ROC-AUC"]
    return markdown_table(header, rows)


def table_6(found: dict[tuple[int, float], ClassificationMetrics]) -> str:
    """Return precision and recall by size and level, with the paper's."""
    rows = [
        [
            *(n, f"{share:.0%}", f"{ours.precision:.3f}/{ours.recall:.3f}"),
            *(ours.mcc, TABLE_6[n, share]),
        ]
        for (n, share), ours in found.items()
    ]
    header = ["particles", "corruption", "precision/recall", "MCC", "paper"]
    return markdown_table(header, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--snr", type=float, default=0.05)
    parser.add_argument("--updates", type=int, default=150)
    parser.add_argument("--quick", action="store_true", help="Table 5 alone")
    arguments = parser.parse_args()
    out = arguments.out.resolve() / f"snr-{arguments.snr:g}"
    sets = make_sets(out, arguments.snr)
    counts = [sum(map(len, each.particles.values())) for each in sets]
    print(f"{counts[0]} particles to learn from, {counts[1]} to test on.\n", flush=True)

    def measured(n: int, share: float) -> ClassificationMetrics:
        return measure(sets, n, share, arguments.updates, out)

    print(table_5({share: measured(3000, share) for share in TABLE_5}), flush=True)
    if not arguments.quick:
        print("\n" + table_6({cell: measured(*cell) for cell in TABLE_6}))


if __name__ == "__main__":
    main()
