# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs that cannot be read, found for ``--skip-bad`` before a run starts."""

from __future__ import annotations

from pathlib import Path

from deepconsensus_plugin.commands.fields import matching_files
from deepconsensus_plugin.commands.settings import RunSettings
from deepconsensus_plugin.core.usable_area.bad_micrographs import find_unreadable


def unreadable_micrographs(settings: RunSettings) -> dict[Path, str]:
    """Return why micrographs cannot be read, by path; compressed ones are read whole.

    Parameters
    ----------
    settings : RunSettings
        With absolute paths.

    Raises
    ------
    ValueError
        If none can be read.
    """
    paths = [*map(Path, matching_files(settings.values.get("micrographs", "")))]
    found = find_unreadable(paths)
    if found and len(found) == len(paths):
        path, reason = next(iter(found.items()))
        raise ValueError(f"no micrograph can be read, such as {path}: {reason}")
    return found
