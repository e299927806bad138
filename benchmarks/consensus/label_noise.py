# SPDX-License-Identifier: GPL-3.0-or-later
"""Tolerance to wrong labels: the paper's Tables 5 and 6, without and with pruning.

    python -m benchmarks.consensus.label_noise OUT [--quick] [--set tetramer]
                                         [--snr 0.05]
                                         [--updates 150] [--seed 1] [--levels 0.4]
                                         [--sizes 500,1000]

A network learns from n putative particles and as many putative background boxes, of
which a share c is the other: particles are whole molecules by themselves, background
is anything half a box away from every molecule, with dirt in its natural share. It is
tested on other micrographs, correctly labelled. *Plain* believes every label, *pruned*
leaves out those that look wrong (docs/fusion.md). The paper's sets were curated by hand
from two real ones; here the signal to noise is chosen so that correct labels give about
the figures that the paper's give; ``--set empiar10017`` takes expert centres on real
micrographs. Figures at the threshold of the largest MCC, as there. Finished rows are in
OUT and not computed again. About 40 minutes on two cores, Table 5 (``--quick``) 15.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.consensus.noise_sets import SETS, Labelled, Marks, make_sets
from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.deep_consensus import train
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.requests import (
    BoxSource,
    Role,
    TrainRequest,
)
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.methods import load_card
from deepconsensus_plugin.core.metrics.classification import ClassificationMetrics
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing, fitting_input_size
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

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

WAYS = {"plain": False, "pruned": True}
"""By name, whether labels that look wrong are left out."""


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
    sizes_here = [len(here) for here in marks.values()]
    n_boxes = sum(sizes_here)
    if n_boxes < sum(sizes):
        raise ValueError(f"expected {sum(sizes)} boxes, there are {n_boxes}")
    part = np.full(n_boxes, -1)
    chosen: NDArray[np.intp] = rng.permutation(n_boxes)[: sum(sizes)]
    part[chosen] = np.repeat(np.arange(len(sizes)), sizes)
    parts = np.split(part, np.cumsum(sizes_here)[:-1])
    return [
        {
            name: here.take(own == i)
            for (name, here), own in zip(marks.items(), parts, strict=True)
        }
        for i in range(len(sizes))
    ]


def _joined(first: Marks, second: Marks) -> Marks:
    return {
        name: ScoredCoordinates.from_arrays(
            np.concatenate([first[name].yx, second[name].yx])
        )
        for name in first
    }


class Measurements:
    """Trained and tested rows of a table; rows in the folder are read instead.

    Parameters
    ----------
    learnt, tested : Labelled
        On different micrographs.
    folder : Path
        Gets one folder a training.
    updates, seed : int
        Updates and seed of the training; the seed also of which labels are exchanged.
    """

    def __init__(
        self,
        learnt: Labelled,
        tested: Labelled,
        folder: Path,
        *,
        updates: int,
        seed: int,
    ) -> None:
        self.learnt, self.tested, self.folder = learnt, tested, folder
        self.updates, self.seed = updates, seed

    def of(self, n: int, share: float, way: str) -> ClassificationMetrics:
        """Return the figures of one of `WAYS`, trained on corrupted labels."""
        place = self._place(n, share, way)
        result = place / "figures.json"
        if not result.exists():
            figures = self._train(place, n, share, prune_labels=WAYS[way])
            write_json(result, to_plain(figures))
        return from_plain(read_json(result), ClassificationMetrics, path=result)

    def expected_noise(self, n: int, share: float, way: str) -> str | None:
        """Return the expected shares of wrong labels, of particles and background."""
        noise = load_card(self._place(n, share, way) / "model").label_noise
        if noise is None:
            return None
        return f"{noise.wrong_particles:.1%}, {noise.wrong_background:.1%}"

    def _place(self, n: int, share: float, way: str) -> Path:
        return self.folder / f"{way}-{n}-{share:g}-{self.updates}-{self.seed}"

    def _train(
        self, place: Path, n: int, share: float, *, prune_labels: bool
    ) -> ClassificationMetrics:
        place.mkdir(parents=True, exist_ok=True)
        box_size = self.learnt.box_size
        micrographs = self.learnt.micrographs + self.tested.micrographs
        input_size = fitting_input_size(box_size, micrographs[0].sampling_rate)
        request = TrainRequest(
            micrographs=micrographs,
            sources=self._write_sources(place, n, share),
            box_size=box_size,
            preprocessing=BoxPreprocessing(input_size),
            parameters=TrainingParameters(
                n_models=1,
                n_updates=self.updates,
                prune_labels=prune_labels,
                seed=self.seed,
            ),
            dataset=place / "boxes.h5",
            model=place / "model",
        )
        figures = train.run(request, Progress()).testing
        for boxes in place.glob("*boxes.h5"):
            boxes.unlink()
        if figures is None:
            raise RuntimeError("expected figures of the testing sets, received none")
        return figures

    def _write_sources(
        self, place: Path, n: int, share: float
    ) -> tuple[BoxSource, ...]:
        rng = np.random.default_rng([self.seed, n, round(100 * share)])
        labelled = {
            Role.TRAINING: corrupt(self.learnt, n, share, rng),
            Role.TESTING: (self.tested.particles, self.tested.background),
        }
        sources = []
        for role, marks in labelled.items():
            for is_particle, coordinates in zip((True, False), marks, strict=True):
                name = f"{role.value}-{'particles' if is_particle else 'background'}"
                path = place / f"{name}.h5"
                write_coordinates(path, coordinates)
                sources.append(
                    BoxSource(name, path, is_particle=is_particle, role=role)
                )
        return tuple(sources)


def table_5(measured: Measurements, levels: Sequence[float]) -> str:
    """Return the figures at every level, the paper's below ours."""
    rows: list[list[object]] = []
    for share in levels:
        for way in WAYS:
            ours = measured.of(3000, share, way)
            rows.append(
                [
                    *(f"{share:.0%}", way, ours.mcc, ours.precision, ours.recall),
                    *(ours.accuracy, ours.roc_auc),
                    measured.expected_noise(3000, share, way),
                ]
            )
        both = zip(*TABLE_5[share], strict=True)
        paper = [" / ".join(f"{each:.3f}" for each in pair) for pair in both]
        rows.append([f"{share:.0%}", "paper", *paper, None])
    header = "corruption,labels,MCC,precision,recall,accuracy,ROC-AUC,found wrong"
    return markdown_table(header.split(","), rows)


def table_6(
    measured: Measurements, sizes: Sequence[int], levels: Sequence[float]
) -> str:
    """Return precision, recall and MCC by size and level, with the paper's."""
    rows = []
    for (n, share), paper in TABLE_6.items():
        if n not in sizes or share not in levels:
            continue
        cells: list[object] = [n, f"{share:.0%}"]
        for way in WAYS:
            ours = measured.of(n, share, way)
            cells += [f"{ours.precision:.3f}/{ours.recall:.3f}", ours.mcc]
        rows.append([*cells, paper])
    header = ["particles", "corruption", "plain", "MCC", "pruned", "MCC", "paper"]
    return markdown_table(header, rows)


def _numbers(text: str) -> list[float]:
    """Return what is written with commas."""
    return [float(word) for word in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--set", choices=SETS, default=SETS[0])
    parser.add_argument("--snr", type=float, default=0.05)
    parser.add_argument("--updates", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--levels", type=_numbers, default=list(TABLE_5))
    parser.add_argument("--sizes", type=_numbers, default=[500, 1000, 2000, 3000])
    parser.add_argument("--quick", action="store_true", help="Table 5 alone")
    arguments = parser.parse_args()
    if unknown := set(arguments.levels) - set(TABLE_5):
        parser.error(f"--levels: expected some of {list(TABLE_5)}, received {unknown}")
    out = arguments.out.resolve() / f"{arguments.set}-snr-{arguments.snr:g}"
    learnt, tested = make_sets(arguments.set, out, arguments.snr)
    print(
        f"{learnt.n_particles} particles to learn from, {tested.n_particles} to test "
        "on.\n",
        flush=True,
    )
    measured = Measurements(
        learnt, tested, out, updates=arguments.updates, seed=arguments.seed
    )
    print(table_5(measured, arguments.levels), flush=True)
    if not arguments.quick:
        print("\n" + table_6(measured, arguments.sizes, arguments.levels))


if __name__ == "__main__":
    main()
