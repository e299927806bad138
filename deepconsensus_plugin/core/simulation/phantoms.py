# SPDX-License-Identifier: GPL-3.0-or-later
"""Built-in structures: subunits of ellipsoids (`domains`), set out by symmetry.

They have the sizes and masses of well-known molecules and nothing else of theirs. The
same phantom is the same at every call.
"""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.simulation.atoms import Atoms
from deepconsensus_plugin.core.simulation.domains import Domain, Plan, build
from deepconsensus_plugin.core.simulation.structures import Phantom

_PLANS = {
    # β-galactosidase: D2, 465 kDa, 180 × 130 × 90 Å.
    Phantom.TETRAMER: Plan(
        "D2",
        (
            Domain((34, 21, 11), (39, 34, 29), 20),
            Domain((65, 16, 15), (24, 24, 22)),
        ),
    ),
    # Apoferritin: a hollow sphere of 24 rods, 480 kDa, 124 Å.
    Phantom.SHELL: Plan("O", (Domain((14, 25, 39), (29, 15, 14), 20),)),
    # GroEL: two rings of seven, 800 kDa, 140 × 145 Å with a channel of 45 Å.
    Phantom.BARREL: Plan(
        "D7",
        (
            Domain((47, 0, 18), (24, 23, 20), 10),
            Domain((45, 6, 52), (23, 21, 21), -20),
        ),
    ),
    # A ribosome: two unlike halves, a third of it protein, 2.5 MDa, 250 Å.
    Phantom.TWO_LOBES: Plan(
        "C1",
        (
            Domain((0, 0, -28), (94, 86, 70), 10),
            Domain((10, 0, 66), (92, 50, 40), -10),
            Domain((-78, 20, 36), (26, 24, 36)),
        ),
        nucleic_fraction=0.65,
    ),
    # An antibody: three arms, 150 kDa.
    Phantom.WISHBONE: Plan(
        "C1",
        (
            Domain((0, 0, -38), (25, 20, 36)),
            Domain((46, 8, 30), (20, 21, 40), 50),
            Domain((-46, -8, 30), (20, 21, 40), -60),
        ),
    ),
    # Haemoglobin: four small balls, 64 kDa, 60 Å.
    Phantom.GLOBULE: Plan("D2", (Domain((14, 13, 9), (18, 18, 17)),)),
    # Keyhole limpet haemocyanin: a hollow cylinder, ten domains around in each of six
    # tiers, and a collar in each mouth; 8 MDa, 350 × 400 Å.
    Phantom.CYLINDER: Plan(
        "D5",
        (
            *(
                Domain((138 * np.cos(a), 138 * np.sin(a), z), (37, 39, 32))
                for z in (34, 101, 167)
                for a in (0.0, np.pi / 5)
            ),
            Domain((72, 24, 160), (30, 30, 26)),
        ),
    ),
}


def make_phantom(phantom: Phantom) -> Atoms:
    """Return the residues of a built-in structure, as points that scatter."""
    # A seed of its own: users' seeds must not change what a phantom is.
    return build(_PLANS[phantom], np.random.default_rng(list(phantom.value.encode())))
