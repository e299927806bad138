# SPDX-License-Identifier: GPL-3.0-or-later
"""Data sets for pickers trained on few labels: training and test micrographs.

``simulated`` needs nothing; ``apoferritin`` and ``empiar10017`` are real, and in the
folder that DEEPCONSENSUS_DATA names. The simulated molecules that touch another object
or the border are particles too, as an expert would mark them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.sets.simulated_sets import make_set
from benchmarks.sets.truth_sets import Marks, TruthSet, load_truth_set
from deepconsensus_plugin.core.pickers.topaz.task import positive_fraction
from deepconsensus_plugin.core.simulation import Crowd, SimulationParameters
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

SIMULATED = SimulationParameters(
    shape=(1536, 1536), crowd=Crowd(particles_per_micrograph=160), seed=8
)
"""β-galactosidase-like, 160 Å at 2.5 Å/px, covering a fifth of the area, with the usual
dirt; labels of 12 micrographs suffice for 1000."""


@dataclass(frozen=True)
class Split:
    """Split of a set into training and test micrographs.

    Parameters
    ----------
    n_train, n_test : int
        Micrographs to learn from, the first by name; the others are never seen.
    binning : int
        Pixels of a micrograph along a side of one that networks see. A divisor of its
        sides; particles become 11 to 16 pixels wide (the paper's Table 1: 7 to 15).
    """

    n_train: int
    n_test: int
    binning: int


SPLITS = {
    "simulated": Split(12, 8, binning=4),
    "apoferritin": Split(5, 4, binning=5),
    "empiar10017": Split(6, 6, binning=4),
}


@dataclass(frozen=True, eq=False)
class LearningSet:
    """Micrographs with a truth, of which some are to learn from.

    Parameters
    ----------
    name : str
        A key of `SPLITS`.
    train, test : tuple of Micrograph
        Those to learn from, and those to be tried on.
    truth : mapping of micrograph name to ScoredCoordinates
        True centres on all of them, pixels of the micrographs.
    diameter_A : float
        Diameter of a particle, along its long axis.
    box_size : float
        Box that the match radius of figures is relative to, pixels.
    binning : int
        As in `Split`.
    radius_px : int
        Downsampled pixels this close to a centre are its region (the paper's 3 or 4).
    """

    name: str
    train: tuple[Micrograph, ...]
    test: tuple[Micrograph, ...]
    truth: Marks
    diameter_A: float
    box_size: float
    binning: int
    radius_px: int = 3

    @property
    def sampling_rate(self) -> float:
        """Å/px of the micrographs."""
        return self.train[0].sampling_rate

    @property
    def suppression_radius_px(self) -> float:
        """Half a particle's long axis, pixels of the micrographs."""
        return self.diameter_A / self.sampling_rate / 2

    @property
    def n_to_learn(self) -> int:
        """True particles on all micrographs to learn from."""
        return sum(len(self.truth[each.name]) for each in self.train)

    @property
    def n_particles(self) -> float:
        """True particles on a micrograph to learn from, on average; users guess it."""
        return self.n_to_learn / len(self.train)

    @property
    def prior(self) -> float:
        """Fraction of downsampled pixels within `radius_px` of a true centre, about."""
        n_pixels = np.prod(self.train[0].shape) / self.binning**2
        return positive_fraction(
            self.n_particles, radius_px=self.radius_px, n_pixels=float(n_pixels)
        )


def load_set(name: str, folder: Path) -> LearningSet:
    """Return the set of that name; `folder` holds, or gets, simulated micrographs.

    Raises
    ------
    ValueError
        If there is no such set, or it has not the micrographs that its split needs.
    """
    if name not in SPLITS:
        raise ValueError(f"expected one of {list(SPLITS)}, received {name!r}")
    split = SPLITS[name]
    whole = _load(name, folder, split.n_train + split.n_test)
    micrographs = sorted(whole.micrographs, key=lambda micrograph: micrograph.name)
    if len(micrographs) != split.n_train + split.n_test:
        raise ValueError(
            f"{name}: expected {split.n_train} + {split.n_test} micrographs, "
            f"received {len(micrographs)}"
        )
    return LearningSet(
        name,
        train=tuple(micrographs[: split.n_train]),
        test=tuple(micrographs[split.n_train :]),
        truth=whole.truth,
        diameter_A=whole.diameter_A,
        box_size=whole.truth_box_size,
        binning=split.binning,
    )


def _load(name: str, folder: Path, n_micrographs: int) -> TruthSet:
    if name == "simulated":
        made = make_set(name, SIMULATED, folder / name, n_micrographs=n_micrographs)
        return made.whole
    return load_truth_set(name, folder)


def draw_labels(
    learning: LearningSet, n_labels: int, seed: int
) -> dict[str, ScoredCoordinates]:
    """Return true centres of the micrographs to learn from, drawn at random.

    Every particle is equally likely. Fewer labels of a seed are among its more.

    Parameters
    ----------
    learning : LearningSet
        Whose truth is drawn from.
    n_labels : int
        On all micrographs together.
    seed : int
        Same seed, same labels.

    Returns
    -------
    dict of ScoredCoordinates
        By micrograph, those without a label left out; truth's order, no scores.

    Raises
    ------
    ValueError
        If there are not so many.
    """
    names = [each.name for each in learning.train]
    counts = [len(learning.truth[name]) for name in names]
    n_particles = sum(counts)
    if not 0 < n_labels <= n_particles:
        raise ValueError(
            f"n_labels must be 1 to {n_particles}, the particles of {learning.name} "
            f"to learn from, received {n_labels}"
        )
    drawn = np.random.default_rng(seed).permutation(n_particles)[:n_labels]
    is_drawn = np.zeros(n_particles, dtype=bool)
    is_drawn[drawn] = True
    parts = zip(names, np.split(is_drawn, np.cumsum(counts)[:-1]), strict=True)
    return {
        name: ScoredCoordinates.from_arrays(learning.truth[name].yx[here])
        for name, here in parts
        if here.any()
    }
