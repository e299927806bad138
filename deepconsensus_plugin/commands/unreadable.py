# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs that cannot be read, found for ``--skip-bad`` before a run starts."""

from __future__ import annotations

from pathlib import Path

from deepconsensus_plugin.commands.fields import matching_files
from deepconsensus_plugin.commands.settings import RunSettings
from deepconsensus_plugin.core.io.micrographs import open_micrograph


def find_unreadable(settings: RunSettings) -> dict[Path, str]:
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
    found = {}
    paths = [*map(Path, matching_files(settings.values.get("micrographs", "")))]
    for path in paths:
        try:
            open_micrograph(path)
        except (ValueError, OSError) as error:
            found[path] = str(error).removeprefix(f"{path}: ")
    if found and len(found) == len(paths):
        path, reason = next(iter(found.items()))
        raise ValueError(f"no micrograph can be read, such as {path}: {reason}")
    return found
