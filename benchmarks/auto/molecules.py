# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples made up at random, from which the network of diameters learns.

Symmetry, shape, hollowness, size on the micrograph, density and acquisition are drawn;
none of them is a target of any benchmark.
"""

from __future__ import annotations

import numpy as np

from benchmarks.hydra.acquisitions import ACQUISITIONS
from benchmarks.hydra.samples import Role, Sample
from deepconsensus_plugin.core.simulation import Assembly, Crowd

_CUBIC = ("T", "O", "I")
_GROUPS = ("C1", "C1", "C2", "D2", "C3", "D3", "C4", "C6", "D5", "D7", *_CUBIC)
_ROUND = ("C1", "C2", "D2")
_FIRST_SEED = 10_000
_PACKED, _CROWDED = 0.45, 0.42


def draw_sample(number: int) -> Sample:
    """Return the sample with this number; same number, same sample."""
    rng = np.random.default_rng([77, number])
    molecule = _draw_molecule(number, rng)
    size_px = float(np.exp(rng.uniform(np.log(9), np.log(75))))
    coverage = float(np.exp(rng.uniform(np.log(0.05), np.log(0.4))))
    if rng.random() < 0.2:
        coverage = _PACKED
    crowd = Crowd(
        spacing=0.92 if coverage > _CROWDED else 1.1,
        overlapping_fraction=float(rng.choice([0.03, 0.08, 0.15])),
        broken_fraction=float(rng.choice([0, 0.05, 0.1])),
        aggregates=float(rng.choice([0, 0.3, 1])),
    )
    acquisition = str(rng.choice(sorted(ACQUISITIONS)))
    return Sample(
        f"r{number}", Role.SOURCE, molecule, size_px, coverage, acquisition, crowd
    )


def _draw_molecule(number: int, rng: np.random.Generator) -> Assembly:
    group = str(rng.choice(_GROUPS))
    long_A = float(np.exp(rng.uniform(np.log(28), np.log(130))))
    axes, hollow, n_domains = (long_A, long_A, long_A), 0.0, 1
    if group in _CUBIC:
        hollow = float(rng.choice([0.5, 0.6, 0.7, 0.8]))
        n_domains = 1 if group == "I" else int(rng.integers(1, 3))
    elif group in _ROUND:
        axes = (long_A, long_A * rng.uniform(0.5, 1), long_A * rng.uniform(0.4, 0.9))
        n_domains = int(rng.integers(2, 9))
        if rng.random() < 0.2:
            axes = (1.3 * long_A, 0.45 * long_A, 0.4 * long_A)
    else:
        axes = (long_A, long_A, long_A * rng.uniform(0.4, 1.4))
        hollow = float(rng.choice([0.0, 0.3, 0.45]))
        n_domains = int(rng.integers(1, 4))
    nucleic = float(rng.choice([0, 0, 0, 0.3, 0.5]))
    detergent_A = (
        float(rng.choice([0, 0, 0, 12])) if group in ("C1", "C2", "C3", "C4") else 0.0
    )
    x, y, z = (float(round(axis)) for axis in axes)
    return Assembly(
        _FIRST_SEED + number,
        (x, y, z),
        group,
        n_domains,
        hollow=hollow,
        nucleic_fraction=nucleic,
        detergent_A=detergent_A,
    )
