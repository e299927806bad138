# SPDX-License-Identifier: GPL-3.0-or-later
"""Export of a selection among given particles: the rows of their file that are kept."""

from __future__ import annotations

import argparse
from pathlib import Path

from deepconsensus_plugin.bootstrap import prepare_environment
from deepconsensus_plugin.commands.exported import is_project
from deepconsensus_plugin.core.pick_files.picks import PickFormat

_FILE = "particles.star"


def export_particles(arguments: argparse.Namespace, out: Path) -> str | None:
    """Write the particles that a selection kept, and return what was written.

    Parameters
    ----------
    arguments : Namespace
        Of ``export``.
    out : Path
        Folder to write to, absolute.

    Returns
    -------
    str or None
        None if the selection is of places on micrographs, or there is none.

    Raises
    ------
    ValueError, OSError
        If they cannot be written so.
    """
    if not is_project(arguments.project):
        return None
    prepare_environment()
    # Scipion reads its environment when it is imported.
    from deepconsensus_plugin.commands.project import open_project
    from deepconsensus_plugin.report.kept_particles import (
        find_particle_scores,
        write_kept,
    )
    from deepconsensus_plugin.report.selections import (
        find_related,
        find_selection,
        find_selections,
    )

    project = open_project(arguments.project.expanduser().absolute())
    if not find_selections(project):
        return None
    selected = find_selection(project, arguments.selection)
    scored = find_particle_scores(find_related(project, selected))
    if scored is None:
        return None
    if PickFormat(arguments.format) is not PickFormat.STAR:
        raise ValueError(f"given particles: expected star, not {arguments.format}")
    if arguments.all or arguments.threshold is not None or arguments.per_micrograph:
        raise ValueError(
            "given particles: --all, --threshold and --per-micrograph are of places on "
            "micrographs; make another selection with *select by score*"
        )
    out.mkdir(parents=True, exist_ok=True)
    n_kept, n_given = write_kept(out / _FILE, scored, selected)
    return (
        f"{n_kept} of {n_given} particles of '{selected.getRunName()}': {out / _FILE}"
    )
