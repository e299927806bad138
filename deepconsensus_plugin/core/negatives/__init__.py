# SPDX-License-Identifier: GPL-3.0-or-later
"""Negatives (background boxes): random, mined, or given by the user."""

from deepconsensus_plugin.core.negatives.drawing import FreeArea, draw_random_negatives

__all__ = [
    "FreeArea",
    "draw_random_negatives",
]
