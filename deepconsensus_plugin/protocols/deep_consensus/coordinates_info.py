# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes of a set of coordinates that outputs made from it take over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pwem.objects import SetOfCoordinates

from deepconsensus_plugin.convert import observed_in, read_observed, write_observed
from deepconsensus_plugin.core.candidates import Candidates


def copyCoordinatesInfo(
    target: SetOfCoordinates,
    source: SetOfCoordinates,
    observed: str,
    candidates: Candidates | None = None,
    masks: Path | None = None,
) -> None:
    """Copy a set's attributes: box size, and which pickers were run where.

    Parameters
    ----------
    target, source : SetOfCoordinates
        On the same micrographs.
    observed : str
        File to write who looked where, if `source` knows it.
    candidates : Candidates, optional
        Those of `source`, where more is known of bad micrographs by now.
    masks : Path, optional
        Folder of the masks, where they were made for `candidates`.
    """
    target.copyInfo(source)
    known = read_observed(source)
    if candidates is not None and (bad := list(candidates.bad_micrographs)):
        known = replace(known or observed_in(candidates), bad_micrographs=bad)
    if candidates is not None and masks is not None:
        known = replace(known or observed_in(candidates), masks=str(masks))
    if known is not None:
        write_observed(target, observed, known)
