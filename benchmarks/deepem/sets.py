# SPDX-License-Identifier: GPL-3.0-or-later
"""Data sets for DeepEM: simulated ones like the paper's, and two real ones.

``klh-like`` follows the acquisition of the KLH set (KLH Dataset I of the National
Resource for Automated Molecular Microscopy: 82 micrographs, CM200 at 120 kV, 3 µm
underfocus, 10 e/Å² on a CCD without energy filter, 2.2 Å/px), binned by two, with a
molecule of KLH's size and mass and a dozen side views a micrograph, as the set has. As
in the paper the first fifty are to learn from, the other 32 are never seen, and a box
has 272 of the original pixels. ``sparse`` and ``crowded`` are as the paper's Figure 3.
Dirt, fragments and overlaps are the simulator's defaults; its truth is what it calls
good: whole molecules by themselves, which is what the paper wants picked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.sets.simulated_sets import make_set
from benchmarks.sets.truth_sets import Marks, TruthSet, load_truth_set
from deepconsensus_plugin.core.simulation import (
    Crowd,
    Detector,
    Exposure,
    Ice,
    Optics,
    Phantom,
    SimulationParameters,
    Structure,
)
from deepconsensus_plugin.core.types import Micrograph

_TWO_VIEWS = Crowd(tilt_spread_deg=8.0)
"""Molecules that lie on their ends, or on their sides in one of three."""

_KLH = SimulationParameters(
    sampling_rate=4.4,
    structures=(Structure(Phantom.CYLINDER),),
    optics=Optics(
        voltage_kV=120.0, spherical_aberration_mm=2.0, defocus_A=(27_000.0, 33_000.0)
    ),
    exposure=Exposure(
        dose_e_per_A2=10.0,
        detector=Detector.INTEGRATING,
        binning=2,
        energy_filter=False,
    ),
    ice=Ice(thickness_A=(500.0, 1000.0)),
    crowd=replace(_TWO_VIEWS, particles_per_micrograph=36),
    seed=10,
)


def _barrels(n_particles: int) -> SimulationParameters:
    """Return molecules of GroEL's size in dirty ice, at the simulator's defaults."""
    return SimulationParameters(
        structures=(Structure(Phantom.BARREL),),
        crowd=replace(_TWO_VIEWS, particles_per_micrograph=n_particles),
        seed=10,
    )


@dataclass(frozen=True)
class Recipe:
    """Recipe of a simulated set: how it is made and used.

    Parameters
    ----------
    parameters : SimulationParameters
        Parameters of its micrographs.
    n_train, n_test : int
        Micrographs to learn from, the first by name, and others.
    box_size : int, optional
        Pixels. Default: the simulator's, one and a half diameters.
    """

    parameters: SimulationParameters
    n_train: int
    n_test: int
    box_size: int | None = None


SIMULATED = {
    "klh-like": Recipe(_KLH, 50, 32, box_size=136),
    "barrels": Recipe(_barrels(60), 12, 12),
    "sparse": Recipe(_barrels(8), 24, 24),
    "crowded": Recipe(_barrels(160), 8, 8),
}
REAL = {"apoferritin": 5, "empiar10017": 6}
"""Real sets, and micrographs of each to learn from; their truth is what experts marked,
at the border too."""


@dataclass(frozen=True)
class DeepEMSet:
    """Micrographs whose particles are all known.

    Parameters
    ----------
    whole : TruthSet
        All of them.
    n_train : int
        The first are to learn from.
    """

    whole: TruthSet
    n_train: int

    @property
    def train(self) -> tuple[Micrograph, ...]:
        """Micrographs to learn from."""
        return self.whole.micrographs[: self.n_train]

    @property
    def test(self) -> tuple[Micrograph, ...]:
        """Micrographs that are never seen."""
        return self.whole.micrographs[self.n_train :]

    def truth(self, micrographs: tuple[Micrograph, ...]) -> Marks:
        """Return the true centres of some micrographs."""
        return {each.name: self.whole.truth[each.name] for each in micrographs}


def load_set(name: str, folder: Path) -> DeepEMSet:
    """Return a set; simulated micrographs are in `folder`, or are made there."""
    if name in REAL:
        return DeepEMSet(load_truth_set(name, folder), REAL[name])
    recipe = SIMULATED[name]
    made = make_set(
        name,
        recipe.parameters,
        folder / name,
        n_micrographs=recipe.n_train + recipe.n_test,
    ).good
    if recipe.box_size is not None:
        made = replace(made, truth_box_size=recipe.box_size)
    return DeepEMSet(made, recipe.n_train)
