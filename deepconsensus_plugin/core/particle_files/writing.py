# SPDX-License-Identifier: GPL-3.0-or-later
"""STAR of the particles that are kept: the rows of the file that they were read from.

Nothing else of the file changes, so that it is used in its place: in the same project,
with the same paths, optics groups, angles and classes.
"""

from __future__ import annotations

from pathlib import Path

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.io.text import read_text
from deepconsensus_plugin.core.particle_files.reading import read_particles
from deepconsensus_plugin.core.pick_files.star_blocks import quoted, star_table
from deepconsensus_plugin.core.types import BoolArray


def write_kept_particles(path: Path, source: Path, is_kept: BoolArray) -> None:
    """Write the particles of a file that are kept.

    Parameters
    ----------
    path : Path
        The STAR; replaced if it is there.
    source : Path
        What `read_particles` read. Of a stack alone, its images are named.
    is_kept : array, shape (n,), bool
        One a particle of `source`, in its order.

    Raises
    ------
    FileFormatError
        If `source` has another number of particles by now.
    """
    table = read_particles(source)
    if len(table) != len(is_kept):
        raise FileFormatError(
            source,
            expected=f"the {len(is_kept)} particles that were scored",
            received=f"{len(table)}",
        )
    if table.lines:
        dropped = {
            line
            for line, keep in zip(table.lines, is_kept.tolist(), strict=True)
            if not keep
        }
        lines = read_text(source).splitlines()
        kept = [line for n, line in enumerate(lines, start=1) if n not in dropped]
        write_text(path, "\n".join([*kept, ""]))
        return
    names = table.index[is_kept].tolist()
    rows = [(quoted(f"{number:06d}@{source}"),) for number in names]
    write_text(path, star_table("particles", ("rlnImageName",), rows))
