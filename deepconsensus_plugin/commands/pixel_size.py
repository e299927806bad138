# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixel size of a run: the setting, or that of the micrographs' headers."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path

from deepconsensus_plugin.commands.fields import read_template
from deepconsensus_plugin.commands.rehearsal import read_headers
from deepconsensus_plugin.commands.settings import RunSettings
from deepconsensus_plugin.core.io.pixel_sizes import find_pixel_size
from deepconsensus_plugin.report.forms import to_scalar

_NAME, _MICROGRAPHS = "samplingRate", "micrographs"


def with_pixel_size(
    settings: RunSettings, left_out: Collection[Path] = ()
) -> tuple[RunSettings, tuple[str, ...]]:
    """Return the settings with a pixel size, and what is to be said of it.

    Parameters
    ----------
    settings : RunSettings
        With absolute paths.
    left_out : collection of Path
        Micrographs that are not used.

    Raises
    ------
    ValueError
        If it is not above 0, or neither given nor in the header of every micrograph.
    """
    template = read_template(settings.template)
    headers = read_headers(settings.values.get(_MICROGRAPHS, ""), left_out)
    if not {_NAME, _MICROGRAPHS} <= template.aliases or not headers:
        return settings, ()
    given = settings.values.get(_NAME)
    value = None if not given else to_scalar(_NAME, given, float)
    if value is not None and not value > 0:
        raise ValueError(f"{_NAME}: expected a number > 0, received {given!r}")
    sizes = {str(path): header.pixel_size_A for path, header in headers.items()}
    try:
        found = find_pixel_size(sizes, value)
    except ValueError as error:
        raise ValueError(f"{_NAME}: {error}. Give {_NAME}=Å/px") from None
    values = {**settings.values, _NAME: str(found.value_A)}
    return dataclasses.replace(settings, values=values), found.remarks
