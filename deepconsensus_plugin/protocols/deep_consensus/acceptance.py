# SPDX-License-Identifier: GPL-3.0-or-later
"""Acceptance on forms and in runs: lines of the form, and the summary that is kept."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pyworkflow.protocol.params as params
from pwem.objects import SetOfCoordinates, SetOfMicrographs, SetOfParticles
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import places_of_candidates
from deepconsensus_plugin.core.acceptance.accept import Acceptance, accept
from deepconsensus_plugin.core.acceptance.expectation import ExpectedFigures
from deepconsensus_plugin.core.acceptance.places import are_off_border
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.acceptance.summary import (
    AcceptanceSummary,
    read_summary,
    write_summary,
)
from deepconsensus_plugin.core.calibration.report import (
    CalibrationReport,
    EstimatedFigure,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.types import BoolArray, FloatArray
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown
from deepconsensus_plugin.set_columns import read_columns

SPACING = ParameterForm(
    Spacing,
    first=("over_border",),
    border_A=Shown("borderDistance"),
    neighbour_A=Shown("neighbourDistance"),
)


def defineSpacingParams(form: params.Form) -> None:
    """Add where accepted particles may lie."""
    SPACING.define(form.addGroup("Places of accepted particles"))


def defineOverBorderParam(form: params.Form) -> None:
    """Add whether boxes may be over the edge, and nothing else of a spacing."""
    SPACING.define(form, "over_border")


def readOverBorder(protocol: Protocol) -> Spacing:
    """Return the spacing of a form with the line of `defineOverBorderParam`."""
    return Spacing(over_border=SPACING.value_of("over_border", protocol))


def describeBadSpacing(
    protocol: Protocol,
    items: SetOfParticles | SetOfCoordinates,
    micrographs: SetOfMicrographs | None,
) -> list[str]:
    """Return what is wrong with the distances, a sentence each."""
    if errors := SPACING.describe_bad(protocol):
        return errors
    spacing = SPACING.read(protocol)
    if not (spacing.border_A or spacing.neighbour_A):
        return []
    labels = " and ".join(map(SPACING.label_of, ("border_A", "neighbour_A")))
    if micrographs is None:
        return [f"{labels}: the input does not name its micrographs; set both to 0."]
    prefix = "" if isinstance(items, SetOfCoordinates) else "_coordinate."
    where = f"{prefix}_micId"
    if not items.isEmpty() and None in read_columns(items, where).get(where, [None]):
        return [
            f"{labels}: some particles do not tell where they were picked; set both "
            "to 0."
        ]
    return []


def judgeScores(
    rule: AcceptanceRule,
    candidates: Candidates,
    score: FloatArray,
    micrographs: SetOfMicrographs,
    *,
    boxSize: float,
    report: CalibrationReport | None,
) -> tuple[Acceptance, BoolArray]:
    """Return what is accepted of candidates, n, and which can be particles.

    Parameters
    ----------
    rule : AcceptanceRule
        What is accepted.
    candidates : Candidates
        Those with a score.
    score : array, shape (n,)
        Score that the threshold applies to.
    micrographs : SetOfMicrographs
        Those of the candidates.
    boxSize : float
        Pixels of the micrographs.
    report : CalibrationReport, optional
        Report of the fusion; None where scores are no probabilities.
    """
    places = places_of_candidates(candidates, micrographs, box_size=boxSize)
    accepted = accept(
        rule, score, places, are_probabilities=report is not None, report=report
    )
    whole = Spacing(over_border=rule.spacing.over_border)
    return accepted, are_off_border(places, whole)


def keepAcceptance(protocol: Protocol, summary: AcceptanceSummary) -> None:
    """Keep what a run accepts, for its summary, viewer and report."""
    write_summary(_path(protocol), summary)


def readAcceptance(protocol: Protocol) -> AcceptanceSummary | None:
    """Return what `keepAcceptance` kept; None if there is nothing (yet)."""
    path = _path(protocol)
    return read_summary(path) if path.exists() else None


def spacingOf(protocol: Protocol) -> Spacing:
    """Return where particles may lie that a run accepts, or will by its form.

    Runs of early versions had boxes over the edge.
    """
    kept = readAcceptance(protocol)
    if kept is not None and kept.rule is not None:
        return kept.rule.spacing
    if not protocol.hasAttribute(SPACING.name_of("border_A")):
        return readOverBorder(protocol)
    spacing = SPACING.read(protocol)
    return replace(spacing, over_border=True) if protocol.isFinished() else spacing


def fillSpacing(protocol: Protocol, spacing: Spacing) -> None:
    """Put a spacing into the lines of `defineSpacingParams`."""
    for field in SPACING.fields:
        value = SPACING.number_of(field, getattr(spacing, field))
        protocol.setAttributeValue(SPACING.name_of(field), value)


def summaryOfEarly(
    *,
    nAll: int,
    nKept: int,
    threshold: float,
    nWithoutScore: int = 0,
    nOther: int = 0,
    expected: tuple[float, float] | None = None,
) -> AcceptanceSummary:
    """Return the summary of a run of an early version, from what it did keep.

    Parameters
    ----------
    nAll, nKept, nWithoutScore, nOther : int
        Candidates; those that are kept; those without a score; those whose score is
        good enough and that were rejected.
    threshold : float
        Lowest score that is good enough.
    expected : tuple of float, optional
        Expected precision and recall of what is kept.
    """
    counts = {"accepted": nKept, "no score": nWithoutScore, "other": nOther}
    counts["score"] = nAll - sum(counts.values())
    figures = None
    if expected is not None:
        both = (EstimatedFigure(value, math.nan, math.nan) for value in expected)
        figures = ExpectedFigures(*both, n_particles=math.nan)
    return AcceptanceSummary(counts, threshold, expected=figures)


def _path(protocol: Protocol) -> Path:
    return Path(protocol._getExtraPath("acceptance.json"))
