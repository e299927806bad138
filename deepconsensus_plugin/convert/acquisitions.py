# SPDX-License-Identifier: GPL-3.0-or-later
"""Acquisitions of our outputs, as other plugins read them."""

from __future__ import annotations

from pwem.objects import Acquisition
from pyworkflow.object import String

from deepconsensus_plugin.core.io.text import format_number
from deepconsensus_plugin.core.pick_files.star_blocks import star_table


def with_optics_group(acquisition: Acquisition, sampling_rate: float) -> Acquisition:
    """Return a copy of an acquisition that has RELION's optics group.

    Without one, RELION's plugin writes a ``_rlnMicrographOriginalPixelSize`` of 1 Å.

    Parameters
    ----------
    acquisition : Acquisition
        What it has of an import from RELION stays.
    sampling_rate : float
        Sampling rate of the micrographs, Å/px; that of the movies is not known.
    """
    copied = acquisition.clone()
    known = getattr(copied, "opticsGroupInfo", None)
    values = (
        sampling_rate,
        copied.getVoltage(),
        copied.getSphericalAberration(),
        copied.getAmplitudeContrast(),
    )
    if (known is not None and known.get()) or None in values:
        return copied
    columns = (
        *("rlnOpticsGroupName", "rlnOpticsGroup", "rlnMicrographOriginalPixelSize"),
        *("rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast"),
    )
    row = ("opticsGroup1", "1", *(format_number(value) for value in values))
    copied.opticsGroupInfo = String(star_table("optics", columns, [row]))
    return copied
