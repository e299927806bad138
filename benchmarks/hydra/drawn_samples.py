# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources drawn at random: made-up molecules in any crowd and acquisition.

What the real sets and the targets show is kept out by its symmetry: no source has the
group of β-galactosidase or of apoferritin.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from benchmarks.hydra.drawn_acquisitions import log_uniform
from benchmarks.hydra.samples import Role, Sample
from deepconsensus_plugin.core.simulation import Assembly, Crowd

N_DRAWN = 72
_FIRST_SEED = 1000
_SIZES_PX = (11.0, 45.0)
_PACKED_SIZES_PX = (32.0, 48.0)
"""No more than 450 particles are on a micrograph: smaller ones would not touch."""
_PACKED_SHARE = 0.35

Draw = Callable[[int, np.random.Generator], Assembly]


def drawn_samples(n_samples: int = N_DRAWN) -> tuple[Sample, ...]:
    """Return sources, each from its number alone; kinds of molecule take turns."""
    return tuple(_draw(number) for number in range(n_samples))


def _draw(number: int) -> Sample:
    seed = _FIRST_SEED + number
    rng = np.random.default_rng(seed)
    kind, draw = _KINDS[number % len(_KINDS)]
    molecule = draw(seed, rng)
    is_packed = rng.random() < _PACKED_SHARE
    crowd, coverage = (_draw_packed if is_packed else _draw_crowd)(rng)
    sizes = _PACKED_SIZES_PX if is_packed else _SIZES_PX
    return Sample(
        f"drawn-{number:02d}-{kind}",
        Role.SOURCE,
        molecule,
        round(log_uniform(*sizes, rng), 1),
        coverage,
        f"drawn-{seed}",
        crowd,
    )


def _compact(seed: int, rng: np.random.Generator) -> Assembly:
    size = log_uniform(26, 110, rng)
    group = _choose(("C1", "C1", "C2", "C3", "D3"), rng)
    axes = _axes(size * rng.uniform(0.7, 1.2, 3), group)
    return Assembly(seed, axes, group, int(rng.integers(2, 7)))


def _small(seed: int, rng: np.random.Generator) -> Assembly:
    axes = _axes(rng.uniform(22, 42, 3))
    return Assembly(seed, axes, _choose(("C1", "C2"), rng), int(rng.integers(2, 5)))


def _long(seed: int, rng: np.random.Generator) -> Assembly:
    width = rng.uniform(24, 45)
    axes = (width * rng.uniform(2, 4.5), width, width * rng.uniform(0.8, 1.1))
    return Assembly(seed, _axes(axes), "C1", int(rng.integers(5, 11)))


def _ring(seed: int, rng: np.random.Generator) -> Assembly:
    width = rng.uniform(45, 120)
    axes = (width, width, width * rng.uniform(0.35, 0.9))
    group = _choose(("C5", "C6", "C8", "C12", "D4", "D5", "D6", "D8"), rng)
    return Assembly(seed, _axes(axes), group, 2, hollow=rng.uniform(0.25, 0.55))


def _shell(seed: int, rng: np.random.Generator) -> Assembly:
    radius = log_uniform(55, 280, rng)
    group = "I" if radius > 75 else _choose(("I", "T"), rng)
    hollow = rng.uniform(0.55, 0.85)
    return Assembly(seed, (radius,) * 3, group, int(rng.integers(1, 3)), hollow=hollow)


def _membrane(seed: int, rng: np.random.Generator) -> Assembly:
    group = _choose(("C1", "C2", "C3", "C4", "C5"), rng)
    axes = _axes(rng.uniform((34, 34, 45), (62, 62, 90)), group)
    detergent = rng.uniform(8, 18)
    return Assembly(seed, axes, group, 3, detergent_A=detergent)


def _nucleic(seed: int, rng: np.random.Generator) -> Assembly:
    axes = _axes(log_uniform(45, 110, rng) * rng.uniform(0.7, 1.1, 3))
    share = rng.uniform(0.3, 0.6)
    return Assembly(seed, axes, "C1", int(rng.integers(6, 12)), nucleic_fraction=share)


_KINDS: tuple[tuple[str, Draw], ...] = (
    ("compact", _compact),
    ("shell", _shell),
    ("long", _long),
    ("membrane", _membrane),
    ("ring", _ring),
    ("small", _small),
    ("shell", _shell),
    ("nucleic", _nucleic),
)


def _draw_packed(rng: np.random.Generator) -> tuple[Crowd, float]:
    """Return a crowd with as many as there is room for: most touch another."""
    crowd = Crowd(
        spacing=rng.uniform(0.9, 1.05),
        overlapping_fraction=rng.uniform(0.02, 0.2),
        broken_fraction=rng.uniform(0, 0.12),
    )
    return crowd, rng.uniform(0.4, 0.55)


def _draw_crowd(rng: np.random.Generator) -> tuple[Crowd, float]:
    """Return how particles lie, and the share of the area that they cover."""
    crowd = Crowd(
        overlapping_fraction=rng.uniform(0.02, 0.2),
        broken_fraction=rng.uniform(0, 0.12),
        aggregates=max(rng.uniform(-1, 1), 0.0),
        tilt_spread_deg=float(rng.uniform(10, 35)) if rng.random() < 0.3 else None,
    )
    return crowd, log_uniform(0.05, 0.35, rng)


def _choose(groups: tuple[str, ...], rng: np.random.Generator) -> str:
    return groups[int(rng.integers(len(groups)))]


def _axes(values: ArrayLike, group: str = "C1") -> tuple[float, float, float]:
    """Return semi-axes; across an axis of more than two folds they are alike."""
    x, y, z = np.round(np.asarray(values, dtype=float), 1).tolist()
    return (x, x if group[1:] > "2" else y, z)
