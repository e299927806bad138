# SPDX-License-Identifier: GPL-3.0-or-later
"""Consensus of several pickers: from their picks to candidates."""

from deepconsensus_plugin.core.consensus.finding import (
    choose_min_pickers,
    find_consensus,
    subtract_picks,
)

__all__ = [
    "choose_min_pickers",
    "find_consensus",
    "subtract_picks",
]
