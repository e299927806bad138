# SPDX-License-Identifier: GPL-3.0-or-later
"""Form parameters that several protocols share."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pwem.constants import RELATION_CTF
from pwem.objects import SetOfMicrographs, SetOfParticles
from pyworkflow.object import Pointer
from pyworkflow.protocol import Protocol
from pyworkflow.protocol.constants import GPU_LIST, USE_GPU


def defineGpuParams(form: params.Form) -> None:
    """Add the line that says which GPUs a run may use."""
    form.addHidden(
        USE_GPU,
        params.BooleanParam,
        default=True,
        label="Use a GPU if there is one",
        help="*Yes*: computes on a GPU if there is one. *No*, or without a GPU: "
        "computes on CPUs, with the same result up to rounding. Default: Yes.",
    )
    form.addHidden(
        GPU_LIST,
        params.StringParam,
        default="0",
        label="Choose GPU IDs",
        help="Numbers of GPUs in the list of *nvidia-smi*, such as 0 or 0,1. With "
        "several, networks of an ensemble are trained side by side, and scoring and "
        "picking are shared out; all else uses the first. Default: 0.",
    )


def defineOtherMicrographsParam(
    form: params.Form, *, more: str = "", isExpert: bool = True
) -> None:
    """Add the choice of other micrographs to extract boxes from."""
    form.addParam(
        "inputMicrographs",
        params.PointerParam,
        pointerClass="SetOfMicrographs",
        allowsNull=True,
        expertLevel=params.LEVEL_ADVANCED if isExpert else params.LEVEL_NORMAL,
        label="Other micrographs",
        help="Micrographs to extract boxes from, for example dose-weighted or binned "
        "ones. They are matched by name, and coordinates and box are scaled to their "
        f"pixel size.\nAuto (empty): those that the coordinates were picked on.{more}",
    )


def micrographsToCut(
    protocol: Protocol, coordinates: Pointer
) -> SetOfMicrographs | None:
    """Return the *Other micrographs* of a form, or else those of the coordinates.

    None where there are none, as for particles, which are in stacks.
    """
    if (others := protocol.inputMicrographs.get()) is not None:
        return others
    picked = coordinates.get()
    if picked is None or isinstance(picked, SetOfParticles):
        return None
    return picked.getMicrographs()


def defineCtfParam(form: params.Form, help: str) -> None:
    """Add the choice of CTFs estimated for the input's micrographs."""
    form.addParam(
        "ctfRelations",
        params.RelationParam,
        relationName=RELATION_CTF,
        attributeName="getInputMicrographs",
        allowsNull=True,
        label="CTF estimation",
        help=help,
    )
