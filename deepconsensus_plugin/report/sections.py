# SPDX-License-Identifier: GPL-3.0-or-later
"""Sections of a report, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pyworkflow.object import Pointer
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.acceptance.expectation import describe_withheld
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.methods import load_card
from deepconsensus_plugin.protocols.consensus.picker_names import pickerNames
from deepconsensus_plugin.protocols.shared.model_summary import describeModel
from deepconsensus_plugin.protocols.shared.training_record import TrainingRecord
from deepconsensus_plugin.protocols.shared.used_devices import describeDevices
from deepconsensus_plugin.report.averages import write_averages_section
from deepconsensus_plugin.report.comparison import comparison_cells
from deepconsensus_plugin.report.html import (
    Html,
    details,
    embed,
    escape,
    paragraphs,
    preformatted,
    section,
    table,
)
from deepconsensus_plugin.report.methods_text import write_methods
from deepconsensus_plugin.report.report_plots import (
    plot_agreement,
    plot_comparison,
    plot_gallery,
    plot_history,
    plot_radius,
    plot_reliability,
    plot_scores,
)
from deepconsensus_plugin.report.reported_run import SCORERS, SCREEN, ReportedRun
from deepconsensus_plugin.report.run_parameters import command_again, list_parameters

_PICTURE = (
    "Micrograph with the most rejected picks, or accepted ones if these are rarer; "
    "low-pass filtered to 20 Å."
)
_TOLD_FIRST = ("WARNING", "Note:")
"""First words of the sentences of summaries that the report repeats."""


def write_sections(
    run: ReportedRun, picture: Path, settings: Mapping[str, Any] | None
) -> Iterator[Html]:
    """Yield the sections of a report; those without content are empty.

    The arguments are those of `write_html_report`.
    """
    calibration = run.calibration
    yield section("Result", _tiles(run), _told_first(run))
    yield section("Input", *_input(run))
    yield section(
        "Agreement of the pickers",
        *plot_agreement(run.scored, is_told=_is_told(calibration)),
        *_radius(run),
    )
    if calibration is not None:
        yield section("Reliability of the pickers", *_reliability(calibration))
    yield section("Network", *_network(run))
    yield section("Scores and threshold", *_scores(run, calibration))
    yield section(
        "Particles",
        plot_gallery(run.scored, run.micrographs, box_size=run.summary["box_size"]),
    )
    yield section("Averages", *write_averages_section(run))
    yield section("Micrograph", embed(picture.read_bytes(), _PICTURE))
    yield section("Comparison with the truth", *_comparison(run))
    yield section("Methods", *_methods(run))
    yield section("Sets, time and memory", *_steps(run))
    yield section("Parameters", *_parameters(run, settings))


def _is_told(calibration: CalibrationReport | None) -> bool:
    return calibration is not None and calibration.why_withheld is None


def _reliability(calibration: CalibrationReport) -> Iterator[Html]:
    if calibration.why_withheld is None:
        yield plot_reliability(calibration)
    else:
        yield paragraphs([describe_withheld(calibration.why_withheld)])
    yield paragraphs(f"{line.rstrip('.')}." for line in calibration.describe_pickers())


def _tiles(run: ReportedRun) -> Html:
    """Return the figures that a reader looks for first."""
    told = run.scored.told
    tiles = [
        (f"{told.n_accepted}", f"particles kept of {told.n_candidates} candidates"),
        (f"{run.scored.threshold:.3g}", "threshold of the score"),
        (
            f"{len(run.scored.candidates.micrographs)}",
            f"micrographs, {len(run.scored.candidates.pickers)} pickers",
        ),
    ]
    if (expected := told.expected) is not None:
        level = " (95 % interval)" if expected.has_intervals else ""
        for name in ("precision", "recall"):
            figure = getattr(expected, name)
            tiles.append((figure.describe(), f"expected {name}{level}"))
    if told.why is not None:
        tiles.append(("unknown", f"precision and recall. {told.why}"))
    if run.figures is not None and run.figures["f1"] is not None:
        tiles.append((f"{run.figures['f1']:.3f}", "F1 against the truth"))
    cells = "\n".join(
        f'<div class="tile"><b>{escape(number)}</b><span>{escape(what)}</span></div>'
        for number, what in tiles
    )
    return Html(f'<div class="tiles">{cells}</div>')


def _told_first(run: ReportedRun) -> Html:
    repeated = (
        line
        for lines in run.summary["protocols"].values()
        for line in lines
        if line.startswith(_TOLD_FIRST)
    )
    return paragraphs(dict.fromkeys(repeated))  # equal sentences once


def _input(run: ReportedRun) -> Iterator[Html]:
    first = run.micrographs[0]
    rows, columns = first.shape
    yield paragraphs(
        [
            f"{len(run.micrographs)} micrographs, the first {columns} × {rows} px, "
            f"{first.sampling_rate:.4g} Å/px; box {run.summary['box_size']} px = "
            f"{run.summary['box_size'] * first.sampling_rate:.0f} Å."
        ]
    )
    consensus = run.only("ProtDeepConsensusPicks", SCREEN)
    if consensus is not None:
        yield _pickers(consensus)
    evaluated = run.only("ProtEvaluatePicks")
    if evaluated is not None:
        yield paragraphs([f"Truth: {_origin(evaluated.inputTruth)}"])


def _pickers(consensus: Protocol) -> Html:
    """Return a table of the pickers that went into a consensus."""
    pointers = consensus.inputCoordinates
    origins = dict(zip(pickerNames(pointers), map(_origin, pointers), strict=True))
    return table(
        ("picker", "picks", "micrographs", "confirmed by another", "from"),
        [
            (
                each.name,
                each.n_picks,
                each.n_micrographs,
                f"{each.n_confirmed / max(1, each.n_candidates):.0%}",
                origins.get(each.name, ""),
            )
            for each in consensus.readReport().pickers
        ],
    )


def _origin(pointer: Pointer) -> str:
    """Return the folder that a set was imported from, or the run that made it."""
    run = pointer.getObjValue()
    path = getattr(run, "filesPath", None)
    return str(path or getattr(run, "getRunName", run.getObjLabel)())


def _radius(run: ReportedRun) -> Iterator[Html]:
    """Yield the agreement over the consensus radius, where it was kept."""
    consensus = run.only("ProtDeepConsensusPicks", SCREEN)
    report = None if consensus is None else consensus.readReport()
    if report is not None and report.curve is not None:
        rate = run.micrographs[0].sampling_rate
        yield plot_radius(report, box_extent_A=report.box_size * rate)


def _network(run: ReportedRun) -> Iterator[Html]:
    yield from _model(run)
    devices = [line for each in run.protocols for line in describeDevices(each)]
    yield paragraphs(dict.fromkeys(devices))


def _model(run: ReportedRun) -> Iterator[Html]:
    scored_by = run.only(*SCORERS)
    if scored_by.getClassName() == SCREEN:
        yield paragraphs(describeModel(load_card(scored_by.modelFolder())))
        return
    training = run.only("ProtDeepConsensusTrain")
    if training is None and (imported := run.only("ProtImportModel")) is not None:
        yield paragraphs(imported.summary())
        return
    if training is None or not training.hasAttribute("outputModel"):
        return
    yield paragraphs(describeModel(training.outputModel.getCard()))
    yield plot_history(TrainingRecord(training.getJob()).histories())


def _scores(run: ReportedRun, calibration: CalibrationReport | None) -> Iterator[Html]:
    told = run.scored.told
    text = [*told.sentences(), *told.describe_criteria()]
    if calibration is None:
        text.append("The score is that of the network, not a probability.")
    else:
        text.append(calibration.describe_missed())
    yield paragraphs(text)
    yield plot_scores(run.scored, calibration)


def _comparison(run: ReportedRun) -> Iterator[Html]:
    evaluated = run.only("ProtEvaluatePicks")
    if run.figures is None or evaluated is None:
        return
    yield table(*comparison_cells(run.summary["comparison"]))
    yield plot_comparison(run.figures, evaluated.readCurve())


def _methods(run: ReportedRun) -> Iterator[Html]:
    methods = write_methods(run.protocols)
    yield paragraphs([methods.text])
    numbered = enumerate(methods.references, start=1)
    yield paragraphs(f"[{number}] {reference}" for number, reference in numbered)
    yield details("BibTeX", preformatted(methods.bibtex))


def _steps(run: ReportedRun) -> Iterator[Html]:
    sizes = run.summary["sets"].items()
    yield table(("set", "items"), sizes)
    costs = run.summary["timings"]
    yield table(
        ("step", "time (s)", "peak memory (MB)"),
        [
            (name, f"{cost['seconds']:.1f}", _megabytes(cost["peak_memory_mb"]))
            for name, cost in costs.items()
        ],
    )
    seconds = sum(cost["seconds"] for cost in costs.values())
    yield paragraphs([f"Total: {seconds / 60:.1f} min."])


def _megabytes(memory: float | None) -> str:
    return "–" if memory is None else f"{memory:.0f}"


def _parameters(run: ReportedRun, settings: Mapping[str, Any] | None) -> Iterator[Html]:
    if settings is not None:
        yield paragraphs(["Command for the same run:"])
        yield preformatted(command_again(settings))
    for protocol in run.protocols:
        listed = list_parameters(protocol)
        if listed:
            yield details(
                f"{protocol.getObjLabel()} ({protocol.getClassName()})",
                table(("parameter", "label", "value"), listed),
            )
    versions = run.summary["versions"].items()
    yield details("Versions", table(("package", "version"), versions))
