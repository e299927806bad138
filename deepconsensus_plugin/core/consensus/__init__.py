# SPDX-License-Identifier: GPL-3.0-or-later
"""Who agrees with whom: from the picks of several pickers to candidates."""

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
