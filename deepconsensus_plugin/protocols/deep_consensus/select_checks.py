# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of the form of *select by score*, one sentence per fault."""

from __future__ import annotations

from pathlib import Path

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.constants import SCORE_ATTRIBUTE
from deepconsensus_plugin.core.acceptance.expectation import check_precision_is_told
from deepconsensus_plugin.core.calibration.thresholds import ThresholdMode
from deepconsensus_plugin.core.errors import WithheldError
from deepconsensus_plugin.protocols.deep_consensus.acceptance import (
    SPACING,
    describeBadSpacing,
)
from deepconsensus_plugin.protocols.deep_consensus.select_form import (
    THRESHOLD,
    thresholdMode,
)
from deepconsensus_plugin.protocols.deep_consensus.selection_input import (
    SelectionInput,
)
from deepconsensus_plugin.set_columns import are_fused


def describeBadForm(protocol: Protocol) -> list[str]:
    """Return what is wrong with the input and the choices of a form."""
    pointer = protocol.scoredItems()
    if not pointer.hasValue():
        return [
            "Scored particles: choose particles or coordinates of *score "
            "particles*; there is nothing to select from."
        ]
    scored, errors = pointer.get(), []
    if scored is None:  # they are still to come
        errors += SPACING.describe_bad(protocol)
    elif scored.isEmpty():
        errors.append("Scored particles: the input set is empty; choose another one.")
    elif not scored.getFirstItem().hasAttribute(SCORE_ATTRIBUTE):
        errors.append(
            "Scored particles: the input has no scores; run *score particles* on "
            "it first."
        )
    elif thresholdMode(protocol) is ThresholdMode.MIN_PRECISION and not are_fused(
        scored
    ):
        errors.append(
            "Select by: a target precision needs scores that are probabilities, "
            "and these are the scores of the network. Run *score particles* with "
            "*Combine with pickers*, on candidates of two pickers or more."
        )
    elif (refusal := _describeRefusal(protocol)) is not None:
        errors.append(refusal)
    else:
        errors += describeBadSpacing(
            protocol, scored, SelectionInput.of(scored).micrographs
        )
    return errors + THRESHOLD.describe_bad(protocol) + _describeGone(protocol)


def _describeGone(protocol: Protocol) -> list[str]:
    """Return a sentence if particles shall be cut out of files that are gone."""
    if (cutting := protocol.findCutting()) is None:
        return []
    files = (Path(each.getFileName()) for each in cutting.frame.micrographs.iterItems())
    if (gone := next((path for path in files if not path.exists()), None)) is None:
        return []
    return [
        f"Write particle stacks: there is no micrograph {gone} to cut them from; "
        "choose No, or bring it back."
    ]


def _describeRefusal(protocol: Protocol) -> str | None:
    """Return why no precision can be asked for; None if one can, or none is."""
    try:
        check_precision_is_told(THRESHOLD.read(protocol), protocol.readCalibration())
    except WithheldError as refusal:
        return str(refusal)
    except ValueError:  # the form says what is wrong with its values
        return None
    return None
