# SPDX-License-Identifier: GPL-3.0-or-later
"""Pieces of the report: nothing is taken for HTML, numbers are numbers."""

from __future__ import annotations

import shlex
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure

from deepconsensus_plugin.commands.settings import parse_settings
from deepconsensus_plugin.core.reasons import Reason, derive_reasons
from deepconsensus_plugin.plots.scores import draw_scores
from deepconsensus_plugin.report.html import (
    Html,
    details,
    embed,
    paragraphs,
    section,
    table,
)
from deepconsensus_plugin.report.methods_text import write_methods
from deepconsensus_plugin.report.report_plots import choose_examples
from deepconsensus_plugin.report.run_parameters import command_again

HOSTILE = "<script>alert('x')</script> & \"quoted\""


class _Reader(HTMLParser):
    """Parser that collects the text of a page, and its tags in order."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.text, self.attributes = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(data)


def test_names_of_users_stay_text():
    page = "".join(
        [
            paragraphs([HOSTILE]),
            table([HOSTILE], [[HOSTILE]]),
            details(HOSTILE, paragraphs([HOSTILE])),
            section(HOSTILE, paragraphs([HOSTILE])),
            embed(b"png", HOSTILE),
        ]
    )
    read = _Reader(page)
    assert "script" not in read.tags
    assert sum(HOSTILE in text for text in read.text) == 8
    assert ("alt", HOSTILE) in read.attributes


def test_numbers_stand_to_the_right_and_empty_sections_are_left_out():
    page = table(("name", "n"), [("a2", 3), ("b", "0.5 (0.4 – 0.6)"), ("c", "")])
    assert page.count('<td class="number">') == 3
    assert page.count('<th class="number">') == 1
    assert "<td>a2</td>" in page
    assert section("empty", Html("")) == ""
    assert table(("a", "b"), []).count("<td") == 0


def test_warnings_stand_out():
    assert paragraphs(["WARNING: look"]).startswith('<p class="warning">')


def _protocol(methods: list[str], citations: list[str]) -> SimpleNamespace:
    return SimpleNamespace(_methods=lambda: methods, _citations=lambda: citations)


def test_methods_cite_by_number_in_order():
    methods = write_methods(
        [
            _protocol(
                ["*12* Micrographs. Output set is [[sci-open:5][2.out.5]]. Done."], []
            ),
            _protocol(["Trained with Keras [Chollet2015], [b] not."], ["Voss2009"]),
            _protocol(["Trained with Keras [Chollet2015], [b] not."], []),
        ]
    )
    assert methods.text == "12 Micrographs. Done. Trained with Keras [1], [b] not."
    keras, picker, method, scipion = methods.references
    assert keras == "Chollet et al. (2015). Keras. keras.io. https://keras.io"
    assert picker.startswith("Voss et al. (2009). DoG Picker")
    assert "166, 205–213" in picker
    assert method.startswith("Sanchez-Garcia et al. (2018)")
    assert scipion.startswith("de la Rosa-Trevín et al. (2016)")
    assert methods.bibtex.count("@") == 4
    assert "{\\'i}" in methods.bibtex


def test_the_command_again_means_the_same(tmp_path):
    for name in ("one picker", "two"):
        (tmp_path / name).mkdir()
    words = [
        f"micrographs={tmp_path}/*.mrc",
        f"picks={tmp_path}/one picker:scale=0.5:invertY=yes,{tmp_path}/two:minScore=3",
        f"truth={tmp_path}/two",
        "stacks=no",
        "preset=fast",
    ]
    settings = parse_settings("deep_consensus", words)
    again = shlex.split(command_again(settings.to_plain()))
    start, end = again.index("deep_consensus") + 1, again.index("--project")
    assert parse_settings("deep_consensus", again[start:end]) == settings


def test_examples_are_the_best_the_borderline_and_the_worst():
    score = np.append(np.linspace(0, 1, 101), np.nan)
    reason = derive_reasons(score, score >= 0.5)
    reason[[99, 98]] = Reason.BORDER, Reason.NEIGHBOUR
    scored = SimpleNamespace(score=score, reason=reason)
    examples = choose_examples(scored)
    assert examples["Best scores"][:2].tolist() == [100, 97]
    assert examples["Just accepted"][-1] == 50
    assert examples["Just rejected for their score"][0] == 49
    assert examples["Lowest scores"][-1] == 0
    others = examples["Rejected for another reason, best scores"]
    assert others.tolist() == [99, 98]
    few = SimpleNamespace(score=np.array([0.9, 0.1]), reason=np.array([0, 2]))
    sizes = {title: len(rows) for title, rows in choose_examples(few).items()}
    assert [*sizes.values()] == [1, 0, 1, 0, 0]


@pytest.mark.parametrize("threshold", [0.5, np.inf])
def test_scores_without_calibration_are_one_plot(threshold):
    figure, score = Figure(), np.array([0.1, 0.6, np.nan])
    reason = derive_reasons(score, score >= threshold)
    draw_scores(figure, score, reason, threshold=threshold, calibration=None)
    figure.canvas.draw()
    [axes] = figure.axes
    assert sum(bar.get_height() for bars in axes.containers for bar in bars) == 2
    assert axes.get_xlabel() == "Score of the network"
