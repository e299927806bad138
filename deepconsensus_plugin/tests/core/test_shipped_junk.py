# SPDX-License-Identifier: GPL-3.0-or-later
"""Junk that comes with the package."""

import numpy as np

from deepconsensus_plugin.core.io.stacks import open_stack
from deepconsensus_plugin.core.particle_files.reading import read_particles
from deepconsensus_plugin.core.particle_files.shipped_junk import shipped_junk
from deepconsensus_plugin.core.pick_files.star_blocks import read_blocks


def test_junk_is_small_and_of_three_kinds():
    table = read_particles(shipped_junk())
    assert (len(table), table.side, table.sampling_rate) == (100, 96, 5.0)
    (block,) = read_blocks(shipped_junk())
    kinds, counts = np.unique(block.columns["rlnComment"], return_counts=True)
    assert kinds.tolist() == ["carbon edge", "empty ice", "ice crystal"]
    assert counts.min() > 20
    assert sum(p.stat().st_size for p in (table.path, *table.stacks)) < 1_000_000


def test_junk_is_light_on_dark_as_extracted_particles_are():
    table = read_particles(shipped_junk())
    images = open_stack(table.stacks[0]).reshape(-1, 96, 96).astype(float)
    (block,) = read_blocks(shipped_junk())
    crystals = images[np.array(block.columns["rlnComment"]) == "ice crystal"]
    assert crystals[:, 32:64, 32:64].mean() > 5  # of a background around 0
    flat = images[np.array(block.columns["rlnComment"]) == "empty ice"]
    assert abs(flat.mean()) < 2  # of 25 levels
