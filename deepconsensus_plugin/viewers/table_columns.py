# SPDX-License-Identifier: GPL-3.0-or-later
"""Columns of ours that Scipion's particle tables show by default."""

from __future__ import annotations

from pwem.objects import SetOfParticles
from pwem.viewers.showj import ORDER, VISIBLE
from pwem.viewers.viewers_data import RegistryViewerConfig

from deepconsensus_plugin.constants import SCORE_ATTRIBUTE, VOTES_ATTRIBUTE

_SHOWN = (SCORE_ATTRIBUTE, VOTES_ATTRIBUTE)
_BEHIND = "_filename"
"""The column that ours come behind."""


def show_scores_in_tables() -> None:
    """Add the score and the votes to the columns that are shown at first.

    Scipion has one list for all sets of particles; a set without them is not changed.
    """
    config = dict(RegistryViewerConfig.getConfig(SetOfParticles) or {})
    for key in (ORDER, VISIBLE):
        columns = [name for name in config.get(key, "").split() if name not in _SHOWN]
        if columns:  # an empty list shows all
            place = columns.index(_BEHIND) + 1 if _BEHIND in columns else len(columns)
            config[key] = " ".join([*columns[:place], *_SHOWN, *columns[place:]])
    RegistryViewerConfig.registerConfig(SetOfParticles, config)
