# SPDX-License-Identifier: GPL-3.0-or-later
"""Switch of a form that sets the published parameters of a method."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

NAME = "asPublished"
"""Name of the switch on every form that has it."""


def isAsPublished(protocol: Protocol) -> bool:
    """Return whether the published parameters were chosen."""
    return bool(protocol.getAttributeValue(NAME))


def shownUnlessPublished(condition: str | None) -> str:
    """Return the condition of a line that the switch hides besides."""
    return f"not {NAME}" + (f" and ({condition})" if condition else "")


def defineAsPublishedParam(form: params.Form, *values: str, paper: str) -> None:
    """Add the switch.

    Parameters
    ----------
    form : Form
        What it is added to.
    *values : str
        What it sets; see `ParameterForm.describe_published`.
    paper : str
        Key of the paper in `bibtex`.
    """
    form.addParam(
        NAME,
        params.BooleanParam,
        default=False,
        label="As published",
        help=f"*Yes*: the network is trained as published [{paper}]. The lines of "
        f"these parameters are then hidden:\n{'; '.join(values)}.\n"
        "*No*: the network is trained with the parameters below.\nDefault: No.",
    )
