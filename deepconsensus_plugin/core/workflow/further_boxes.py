# SPDX-License-Identifier: GPL-3.0-or-later
"""Labelled boxes that a user gives beside those that the chain finds itself."""

from __future__ import annotations

from dataclasses import dataclass

from deepconsensus_plugin.core.deep_consensus.requests import BoxSource
from deepconsensus_plugin.core.types import Micrograph


@dataclass(frozen=True)
class FurtherBoxes:
    """Sets to train on, or to test on, beside agreed picks and drawn background.

    Parameters
    ----------
    sources : tuple of BoxSource
        The sets.
    micrographs : tuple of Micrograph
        Micrographs and stacks of particles that they lie on, besides those of the
        picks.
    """

    sources: tuple[BoxSource, ...] = ()
    micrographs: tuple[Micrograph, ...] = ()
