# SPDX-License-Identifier: GPL-3.0-or-later
"""Scene of one micrograph: the specimen with everything in it, and what is where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.optics import electron_wavelength
from deepconsensus_plugin.core.simulation.classification import classify
from deepconsensus_plugin.core.simulation.contaminants import (
    Contaminant,
    add_contaminants,
)
from deepconsensus_plugin.core.simulation.cracks import add_crack
from deepconsensus_plugin.core.simulation.film import add_carbon
from deepconsensus_plugin.core.simulation.ice import (
    chain_grain,
    draw_grain,
    draw_thickness,
    water_grain,
)
from deepconsensus_plugin.core.simulation.library import Library
from deepconsensus_plugin.core.simulation.orientations import view_matrix
from deepconsensus_plugin.core.simulation.parameters import SimulationParameters
from deepconsensus_plugin.core.simulation.placement import (
    Molecule,
    OccupiedArea,
    place_molecules,
)
from deepconsensus_plugin.core.simulation.precipitates import add_precipitate
from deepconsensus_plugin.core.simulation.projection import project
from deepconsensus_plugin.core.simulation.sample import Contamination
from deepconsensus_plugin.core.simulation.scattering import Medium
from deepconsensus_plugin.core.simulation.specimen import Field, Specimen
from deepconsensus_plugin.core.simulation.truth import TrueObject
from deepconsensus_plugin.core.simulation.varied_film import add_varied_film
from deepconsensus_plugin.core.simulation.vesicles import add_vesicle
from deepconsensus_plugin.core.types import BoolArray, FloatArray
from deepconsensus_plugin.core.usable_area.kinds import AreaKind


@dataclass(frozen=True, eq=False)
class Scene:
    """All that the beam meets.

    Parameters
    ----------
    specimen : Specimen
        Fields that electrons pass.
    objects : tuple of TrueObject
        All that has its centre within the micrograph.
    thickness : float
        Mean thickness of the ice, Å.
    grain, s : array, shape (n,)
        Spectrum of the ice, (V·Å)² Å², and its spatial frequencies, 1/Å.
    has_carbon : bool
        Whether there is a film.
    """

    specimen: Specimen
    objects: tuple[TrueObject, ...]
    thickness: float
    grain: FloatArray
    s: FloatArray
    has_carbon: bool


def build_scene(
    parameters: SimulationParameters, library: Library, rng: np.random.Generator
) -> Scene:
    """Return the specimen with everything in it."""
    area = _field(parameters, library)
    specimen = Specimen(area, parameters.optics.voltage_kV)
    mean = float(rng.uniform(*parameters.ice.thickness_A))
    thickness = draw_thickness(parameters.ice, mean, area, rng)
    # Potentials are counted from that of the ice.
    specimen.add_matter(thickness, Medium.ICE, 0.0)
    s = np.linspace(0, 1 / parameters.sampling_rate, 1024)
    grain = water_grain(s, mean, parameters.exposure.dose_e_per_A2)
    grain += chain_grain(s, parameters.ice.interface_protein_mg_per_m2)
    specimen.grain += draw_grain(grain, s, area, rng)
    has_carbon, blocked = _contaminate(
        specimen, thickness, parameters.contamination, rng
    )
    dirt = add_contaminants(specimen, parameters.contamination, rng)
    dirt += _precipitate(specimen, parameters.contamination, library, rng)
    if parameters.contamination.vesicles:
        n_vesicles = rng.poisson(parameters.contamination.vesicles)
        dirt += [add_vesicle(specimen, rng) for _ in range(n_vesicles)]
    if not parameters.contamination.is_plain:
        is_dirt = specimen.contamination != AreaKind.USABLE
        is_dirt &= specimen.contamination != AreaKind.CARBON
        blocked = is_dirt if blocked is None else blocked | is_dirt
    molecules = place_molecules(
        parameters, library, OccupiedArea(area, blocked, dirt), rng
    )
    for molecule in molecules:
        _draw_molecule(specimen, molecule)
    objects = tuple(classify(molecules, dirt, area))
    return Scene(specimen, objects, mean, grain, s, has_carbon)


def _contaminate(
    specimen: Specimen,
    ice_A: FloatArray,
    contamination: Contamination,
    rng: np.random.Generator,
) -> tuple[bool, BoolArray | None]:
    """Add cracks and a film; return whether there is one, and what molecules avoid."""
    if contamination.cracks:
        for _ in range(rng.poisson(contamination.cracks)):
            add_crack(specimen, ice_A, rng)
    if not rng.random() < contamination.carbon_probability:
        return False, None
    variety = contamination.film_variety
    if variety and rng.random() < variety:
        return True, add_varied_film(specimen, rng)
    return True, add_carbon(specimen, rng)


def _precipitate(
    specimen: Specimen,
    contamination: Contamination,
    library: Library,
    rng: np.random.Generator,
) -> list[Contaminant]:
    """Add precipitates of the wanted or of the second protein, and return them."""
    if not contamination.precipitates:
        return []
    species = list(library.wanted)
    if library.unwanted is not None:
        species.append(library.unwanted)
    return [
        add_precipitate(specimen, species[int(rng.integers(len(species)))], rng)
        for _ in range(rng.poisson(contamination.precipitates))
    ]


def _field(parameters: SimulationParameters, library: Library) -> Field:
    """Return the area, wide enough for what defocus and the frame's cuts carry in."""
    optics, rate = parameters.optics, parameters.sampling_rate
    most = optics.defocus_A[1] + optics.astigmatism_A / 2
    finest = 0.5 / max(rate, parameters.drawn_resolution_A / 2)
    carried = electron_wavelength(optics.voltage_kV) * most * finest
    largest = library.diameter_A / 2
    return Field(parameters.shape, int((carried + largest) / rate) + 8, rate)


def _draw_molecule(specimen: Specimen, molecule: Molecule) -> None:
    species, whole = molecule.species, (round(molecule.y), round(molecule.x))
    volume = species.whole
    if molecule.fragment is not None:
        volume = species.fragments[molecule.fragment]
    image = project(
        volume,
        view_matrix(molecule.angles),
        sampling_rate=specimen.field.sampling_rate,
        shift_yx=(molecule.y - whole[0], molecule.x - whole[1]),
    )
    specimen.add_particle(image, whole)
