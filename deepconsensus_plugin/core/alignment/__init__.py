# SPDX-License-Identifier: GPL-3.0-or-later
"""Systematic shift, mirror or scale between the picks of two pickers."""

from deepconsensus_plugin.core.alignment.confinement import (
    Extent,
    describe_confinement,
    find_extent,
    measure_extent,
)
from deepconsensus_plugin.core.alignment.misalignment import Misalignment
from deepconsensus_plugin.core.alignment.offsets import Offsets, measure_offsets
from deepconsensus_plugin.core.alignment.search import (
    find_misalignments,
    measure_misalignment,
)

__all__ = [
    "Extent",
    "Misalignment",
    "Offsets",
    "describe_confinement",
    "find_extent",
    "find_misalignments",
    "measure_extent",
    "measure_misalignment",
    "measure_offsets",
]
