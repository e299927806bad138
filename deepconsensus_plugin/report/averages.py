# SPDX-License-Identifier: GPL-3.0-or-later
"""Section of averages: what accepted and rejected candidates look like when aligned."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import BoxFrame, candidates_and_items
from deepconsensus_plugin.core.averages.marks import describe_numbers, read_marks
from deepconsensus_plugin.core.averages.membership import Membership, count_members
from deepconsensus_plugin.core.averages.sentences import (
    describe_resolutions,
    describe_sorting,
)
from deepconsensus_plugin.core.averages.subsets import MOST_MICROGRAPHS, read_subsets
from deepconsensus_plugin.core.averages.table import AveragesTable
from deepconsensus_plugin.plots.average_pairs import (
    draw_subsets,
    subsets_size,
)
from deepconsensus_plugin.plots.averages import (
    averages_size,
    draw_averages,
)
from deepconsensus_plugin.plots.averages_layout import (
    lay_out,
    panels_of,
)
from deepconsensus_plugin.protocols.shared.run_averages import (
    RunAverages,
    averagedCoordinates,
    hasAverages,
    readRunAverages,
)
from deepconsensus_plugin.report.html import Html, paragraphs, plot
from deepconsensus_plugin.report.reported_run import SCORERS, ReportedRun
from deepconsensus_plugin.report.scored import ScoredCandidates

_N_COLUMNS, _N_PAIRS = 8, 4
"""Averages, and pairs of them, beside each other."""
_MOST_PAIRS = 12


def write_averages_section(run: ReportedRun) -> Iterator[Html]:
    """Yield the content of the section; nothing where a run has no averages."""
    scored_by = run.only(*SCORERS)
    if scored_by is None or not hasAverages(scored_by):
        return
    found = _averages_of(scored_by)
    members = count_members(
        found.table.average,
        len(found.table.images),
        accepted=run.scored.accepted,
        found=run.scored.candidates.found,
        pickers=run.scored.candidates.pickers,
    )
    yield paragraphs([*describe_averages(found.table, members), *_marked(found)])
    yield _plot_averages(found.table, members)
    yield _plot_subsets(run.scored, scored_by, found, members)


def _averages_of(scored_by: Protocol) -> RunAverages:
    """Return the averages of a run, in the order of its candidates."""
    _, item = candidates_and_items(averagedCoordinates(scored_by))
    found = readRunAverages(scored_by)
    return RunAverages(found.path, found.table.take(item))


def describe_averages(table: AveragesTable, members: Membership) -> Iterator[str]:
    """Yield what averages tell, in sentences.

    Parameters
    ----------
    table : AveragesTable
        The averages, n candidates.
    members : Membership
        Numbers of their members; which are accepted is known.
    """
    yield describe_sorting(table)
    yield describe_resolutions(table)
    mostly = members.is_mostly_accepted
    n_accepted, n_rejected = (
        int(members.n_members[each].sum()) for each in (mostly, ~mostly)
    )
    n_averages = int((members.n_members > 0).sum())
    yield (
        f"Averages of mostly accepted candidates: {int(mostly.sum())} "
        f"({n_accepted:,} candidates); of mostly rejected ones: "
        f"{n_averages - int(mostly.sum())} ({n_rejected:,})."
    )


def _marked(found: RunAverages) -> Iterator[str]:
    marks = read_marks(found.path, found.table)
    for numbers, word in ((marks.good, "good"), (marks.bad, "bad")):
        if numbers:
            yield f"Marked as {word}: {describe_numbers(numbers)}."


def _plot_averages(table: AveragesTable, members: Membership) -> Html:
    layout = lay_out(
        panels_of(members), n_columns=_N_COLUMNS, n_pickers=len(members.pickers)
    )
    figure = Figure(figsize=averages_size(layout))
    draw_averages(figure, table, members, layout)
    return plot(
        figure,
        "Averages, the largest first: number of candidates and resolution, share that "
        "is accepted, and as bars the shares that each picker found.",
    )


def _plot_subsets(
    scored: ScoredCandidates,
    scored_by: Protocol,
    found: RunAverages,
    members: Membership,
) -> Html:
    """Return averages of the accepted beside those of the rejected members."""
    frame = BoxFrame(
        averagedCoordinates(scored_by),
        scored_by.getInputMicrographs(),
        scored_by.ctfRelations.get(),
    )
    micrographs, candidates = frame.read_usable(), scored.candidates
    number = {micrograph.name: n for n, micrograph in enumerate(micrographs)}
    place = np.array([number.get(name, -1) for name in candidates.micrographs])
    subsets = read_subsets(
        micrographs,
        place[candidates.micrograph_index],
        frame.scale * candidates.yx,
        found.table,
        np.where(scored.accepted, 0, 1),
        2,
    )
    order = members.accepted_first()
    chosen = order[np.isin(order, subsets.have_enough)][:_MOST_PAIRS]
    if not len(chosen):
        return Html("")
    figure = Figure(figsize=subsets_size(len(chosen), n_columns=_N_PAIRS))
    draw_subsets(figure, subsets, chosen=chosen, n_columns=_N_PAIRS)
    n = min(MOST_MICROGRAPHS, len(micrographs))
    return plot(
        figure,
        "Averages of the accepted members, and beside each that of the rejected ones, "
        f"on {n} micrographs. Where both look alike, "
        "rejected members may be particles.",
    )
