# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs with exact truth: ``simulate_micrograph(parameters, index)``.

In the order of the electrons: `parameters` say what is wanted; `phantoms`, `assemblies`
and `atoms` give molecules, `potential` draws them, `library` keeps them; `placement`
lays them out in `ice` with `contaminants`, `projection` draws them into the `specimen`;
`exposure` forms the image and `detector` records it; `truth` lists what is where.
"""

from deepconsensus_plugin.core.simulation.micrograph import (
    SimulatedMicrograph,
    simulate_micrograph,
)
from deepconsensus_plugin.core.simulation.parameters import (
    Detector,
    Exposure,
    Optics,
    SimulationParameters,
)
from deepconsensus_plugin.core.simulation.sample import Contamination, Crowd, Ice
from deepconsensus_plugin.core.simulation.structures import Assembly, Phantom, Structure
from deepconsensus_plugin.core.simulation.truth import (
    ObjectClass,
    TrueObject,
    true_coordinates,
)

__all__ = [
    "Assembly",
    "Contamination",
    "Crowd",
    "Detector",
    "Exposure",
    "Ice",
    "ObjectClass",
    "Optics",
    "Phantom",
    "SimulatedMicrograph",
    "SimulationParameters",
    "Structure",
    "TrueObject",
    "simulate_micrograph",
    "true_coordinates",
]
