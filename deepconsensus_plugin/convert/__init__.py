# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion between Scipion's sets and the types of `core`, in one place.

It owns the order of x and y, the rounding to Scipion's whole pixels, the change of
sampling rate between sets, and how provenance is kept on items and sets.
"""

from deepconsensus_plugin.convert.acquisitions import with_optics_group
from deepconsensus_plugin.convert.averaged import AveragedItems, placed_items
from deepconsensus_plugin.convert.box_frames import BoxFrame
from deepconsensus_plugin.convert.candidate_reading import (
    candidates_and_items,
    candidates_from_set,
)
from deepconsensus_plugin.convert.candidates import append_candidates, candidate_rows
from deepconsensus_plugin.convert.coordinates import (
    append_coordinates,
    coordinates_from_set,
    items_with_micrograph,
    match_micrographs,
    picks_from_set,
)
from deepconsensus_plugin.convert.ctfs import append_ctfs
from deepconsensus_plugin.convert.item_rows import Column, ItemRows, set_attribute
from deepconsensus_plugin.convert.items import moved_rows, read_items, scaled_item
from deepconsensus_plugin.convert.masks import (
    append_masks,
    are_on,
    distances_to_unusable,
)
from deepconsensus_plugin.convert.micrographs import (
    micrograph_name,
    micrograph_names,
    micrographs_from_set,
)
from deepconsensus_plugin.convert.observed import (
    PickerCoverage,
    masks_of,
    observed_by_all,
    observed_in,
    read_observed,
    write_observed,
)
from deepconsensus_plugin.convert.particles import (
    ParticleStacks,
    append_particles,
    stacks_from_set,
)
from deepconsensus_plugin.convert.places import (
    paths_by_name,
    places_of_candidates,
    places_of_items,
    shapes_by_name,
)
from deepconsensus_plugin.convert.provenance import with_area_distance
from deepconsensus_plugin.convert.rows import append_rows, next_id
from deepconsensus_plugin.convert.simulated import acquisition_of, append_simulated
from deepconsensus_plugin.convert.streams import refresh, state_of_file

__all__ = [
    "AveragedItems",
    "BoxFrame",
    "Column",
    "ItemRows",
    "ParticleStacks",
    "PickerCoverage",
    "acquisition_of",
    "append_candidates",
    "append_coordinates",
    "append_ctfs",
    "append_masks",
    "append_particles",
    "append_rows",
    "append_simulated",
    "are_on",
    "candidate_rows",
    "candidates_and_items",
    "candidates_from_set",
    "coordinates_from_set",
    "distances_to_unusable",
    "items_with_micrograph",
    "masks_of",
    "match_micrographs",
    "micrograph_name",
    "micrograph_names",
    "micrographs_from_set",
    "moved_rows",
    "next_id",
    "observed_by_all",
    "observed_in",
    "paths_by_name",
    "picks_from_set",
    "placed_items",
    "places_of_candidates",
    "places_of_items",
    "read_items",
    "read_observed",
    "refresh",
    "scaled_item",
    "set_attribute",
    "shapes_by_name",
    "stacks_from_set",
    "state_of_file",
    "with_area_distance",
    "with_optics_group",
    "write_observed",
]
