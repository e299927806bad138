# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that ``run`` prints at its end."""

from __future__ import annotations

from pathlib import Path

from deepconsensus_plugin.commands.printed_lines import (
    comparison_lines,
    report_lines,
    warning_lines,
)
from deepconsensus_plugin.report.evaluation import compare

_FIGURES = {
    "n_truth": 40,
    "n_micrographs": 2,
    "radius_px": 10.0,
    "n_accepted": 50,
    "n_matched": 30,
    "precision": 0.6,
    "recall": 0.75,
    "f1": 2 / 3,
    "average_precision": None,
    "best_f1": None,
    "intervals": {"f1": [0.5, 0.75]},
}
_LATTICE = {k: v for k, v in _FIGURES.items() if k != "intervals"}
_ACCEPTED = {
    **_FIGURES,
    "f1": 0.7,
    "intervals": {"f1": [None, None]},
    "blind_lattice": {**_LATTICE, "n_accepted": 100},
    "pickers": {"alpha": _FIGURES},
}


def test_every_compared_set_has_a_row_that_lines_up():
    head, _, *table = comparison_lines(compare(_ACCEPTED))
    assert head == "40 true particles on 2 micrographs, matched within 10.0 px:"
    assert {len(line) for line in table} == {len(table[0])}
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table[2:]]
    assert rows == [
        ["alpha", "50", "0.600", "0.750", "0.667 (0.500 – 0.750)", "", ""],
        ["accepted", "50", "0.600", "0.750", "0.700", "", ""],
        ["blind lattice", "100", "0.600", "0.750", "0.667", "", ""],
    ]


def test_files_are_named_and_a_run_without_truth_has_no_table():
    summary = {
        "protocols": {"network": ["one", "two"]},
        "score_file": "scores.csv",
        "picture_file": "picture.png",
        "report_file": "report.html",
    }
    assert [*report_lines(Path("/p"), summary)] == [
        "network:",
        "  one",
        "  two",
        "Scores of all candidates: /p/scores.csv",
        "Picture: /p/picture.png",
        "Summary: /p/summary.json",
        "Report: /p/report.html",
    ]


def test_lines_fit_a_terminal_and_stay_whole_in_a_file():
    words = "97 particles of the best kind " * 6
    summary = {
        "protocols": {"network": [words.strip()]},
        "comparison": compare(_ACCEPTED),
    }
    whole = [*report_lines(Path("/p"), summary)]
    assert max(map(len, whole)) > 150
    fitted = [*report_lines(Path("/p"), summary, columns=60)]
    assert max(map(len, fitted)) < 80
    assert [line for line in fitted if line.startswith("    ")]
    (row,) = (line for line in fitted if line.startswith("| alpha"))
    assert "0.667 " in row
    assert "0.500" not in row
    assert " ".join(" ".join(fitted).split()).count("best kind") == 6


def test_warnings_of_finished_stages_are_named_with_them():
    class Stage:
        def __init__(self, label, done, *lines):
            self.getObjLabel = lambda: label
            self.isFinished = lambda: done
            self.summary = lambda: [*lines]

    stages = [
        Stage("consensus", True, "12 candidates", "WARNING: import with scale=2."),
        Stage("network", False, "WARNING: not this"),
    ]
    assert [*warning_lines(stages)] == ["consensus: WARNING: import with scale=2."]
