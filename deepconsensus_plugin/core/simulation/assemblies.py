# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up molecules: any number of them, each from a seed.

Domains of a subunit grow like a chain, each beside an earlier one, within an envelope;
their volumes together fill about as much of it as those of proteins do.
"""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.simulation.atoms import Atoms
from deepconsensus_plugin.core.simulation.domains import Domain, Plan, Triple, build
from deepconsensus_plugin.core.simulation.structures import Assembly
from deepconsensus_plugin.core.types import FloatArray

_FILLED = 0.7
"""Volume of the domains, in that of the envelope; they overlap."""
_STRETCH = (0.7, 1.4)
_LEAST_RADIUS = 9.0
_TRIES = 300

_ORDERS = {"T": 12, "O": 24, "I": 60}
_DETERGENT_DENSITY = 0.75
_DETERGENT_HALF_THICKNESS = 19.0


def make_assembly(assembly: Assembly) -> Atoms:
    """Return the residues of a made-up molecule, as points that scatter.

    Raises
    ------
    ValueError
        If its group is none.
    """
    rng = np.random.default_rng([assembly.seed, *assembly.group.encode()])
    domains = _draw_domains(assembly, rng)
    if assembly.detergent_A > 0:
        # Protein comes first: where both would be, it stays.
        domains.append(_belt(assembly))
    plan = Plan(assembly.group, tuple(domains), assembly.nucleic_fraction)
    return build(plan, rng)


def _draw_domains(assembly: Assembly, rng: np.random.Generator) -> list[Domain]:
    envelope = np.array(assembly.semi_axes_A)
    radius = _mean_radius(assembly)
    domains: list[Domain] = []
    for _ in range(assembly.n_domains):
        axes = radius * rng.uniform(*_STRETCH, 3)
        axes = np.clip(axes, _LEAST_RADIUS, envelope)
        centre = _find_place(assembly, domains, axes, rng)
        turn = float(rng.uniform(0, 180))
        domains.append(Domain(_triple(centre), _triple(axes), turn))
    return domains


def _mean_radius(assembly: Assembly) -> float:
    """Return the radius of a ball with the volume that is left for one domain, Å."""
    n_copies = _order(assembly.group)
    is_shell = assembly.group in _ORDERS
    filled = _FILLED * (1 - assembly.hollow ** (3 if is_shell else 2))
    volume = filled * float(np.prod(assembly.semi_axes_A))
    return float((volume / n_copies / assembly.n_domains) ** (1 / 3))


def _order(group: str) -> int:
    """Return how many copies a point group makes."""
    if group in _ORDERS:
        return _ORDERS[group]
    folds = group[1:]
    if group[:1] not in ("C", "D") or not folds.isdecimal() or int(folds) < 1:
        raise ValueError(f"group: expected Cn, Dn, T, O or I, received {group!r}")
    return int(folds) * (2 if group[0] == "D" else 1)


def _find_place(
    assembly: Assembly,
    domains: list[Domain],
    axes: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """Return a centre within the envelope, beside an earlier domain if there is one.

    The first lies anywhere. Where none of the tries is inside, the one nearest to it.
    """
    envelope = np.maximum(np.array(assembly.semi_axes_A) - axes.mean(), 1.0)
    directions = rng.normal(size=(_TRIES, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    if domains:
        before = domains[int(rng.integers(len(domains)))]
        reach = 0.75 * (axes.mean() + np.mean(before.semi_axes))
        places = np.array(before.centre) + reach * directions
    else:
        places = directions * rng.random((_TRIES, 1)) ** (1 / 3) * envelope
    depth = np.linalg.norm(places / envelope, axis=1)
    is_shell = assembly.group in _ORDERS
    hole = depth if is_shell else np.hypot(*(places / envelope)[:, :2].T)
    least = (1 + assembly.hollow) / 2 if assembly.hollow else 0.0
    outside = np.maximum(depth - 1, 0) + np.maximum(least - hole, 0)
    return np.asarray(places[np.argmin(outside)])


def _belt(assembly: Assembly) -> Domain:
    x, y, _ = assembly.semi_axes_A
    wider = assembly.detergent_A
    return Domain(
        (0.0, 0.0, 0.0),
        (x + wider, y + wider, _DETERGENT_HALF_THICKNESS),
        density=_DETERGENT_DENSITY,
    )


def _triple(values: FloatArray) -> Triple:
    x, y, z = values.tolist()
    return x, y, z
