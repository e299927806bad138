# SPDX-License-Identifier: GPL-3.0-or-later
"""Bar of a whole run: on terminals of any width, and in log files."""

from __future__ import annotations

import io
import logging
import re

import pytest

from deepconsensus_plugin.commands import progress_bar
from deepconsensus_plugin.commands.expected_work import expected_work, part_done
from deepconsensus_plugin.commands.progress_bar import RunProgress, describe_seconds
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusSelect,
    ProtDeepConsensusTrain,
    ProtSimulateMicrographs,
)

_WORK = {"micrographs": 10.0, "network": 80.0, "particles": 10.0}


class _Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    return _Terminal()


def _shown(text: str) -> list[str]:
    """Return what stays on each line of a terminal."""
    return [re.split(r"\r\x1b\[K", line)[-1] for line in text.split("\n")]


def test_the_share_is_that_of_the_work_not_of_the_stages():
    bar = RunProgress(_WORK, io.StringIO())
    bar.begin("micrographs")
    bar.finish("micrographs")
    assert bar.share == pytest.approx(0.1)
    bar.begin("network")
    bar.advance(0.5)
    assert bar.share == pytest.approx(0.5)
    bar.advance(0.25)  # a new stage of the job counts from the start again
    assert bar.share == pytest.approx(0.5)
    bar.finish("network")
    bar.finish("particles")
    assert bar.share == pytest.approx(1.0)


@pytest.mark.parametrize("columns", [10, 40, 80, 250])
def test_the_line_fits_the_terminal(columns):
    bar = RunProgress({"a stage with a long name " * 5: 1.0}, io.StringIO())
    bar.begin("a stage with a long name " * 5)
    bar.advance(0.5, "look for hard negatives 10/100")
    line = bar.line(columns)
    assert len(line) < columns
    assert line.startswith(" 50 % [###"[: columns - 2])
    assert line.endswith("…") == (columns < 250)


def test_messages_stand_above_the_bar(terminal, monkeypatch):
    root = logging.getLogger()
    handler = logging.StreamHandler(terminal)
    monkeypatch.setattr(root, "handlers", [handler])
    with RunProgress(_WORK, terminal) as bar:
        bar.begin("micrographs")
        root.warning("micrographs: started")
        bar.finish("micrographs")
        root.warning("micrographs: finished")
    assert root.handlers == [handler]
    *messages, last = _shown(terminal.getvalue())
    assert messages == ["micrographs: started", "micrographs: finished"]
    assert last == ""  # no bar is left behind


def test_a_log_file_gets_no_bar():
    file = io.StringIO()
    with RunProgress(_WORK, file) as bar:
        bar.begin("micrographs")
        bar.advance(0.5, "read 1/2")
        bar.finish("micrographs")
    assert file.getvalue() == ""


def test_time_that_is_left_is_guessed_from_what_this_run_did(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress_bar.time, "monotonic", lambda: now[0])
    bar = RunProgress(_WORK, io.StringIO())
    bar.finish("micrographs", was_done=True)
    assert "left" not in bar.line(80)
    bar.begin("network")
    now[0] = 100.0
    bar.advance(0.5)  # 40 of 100 in 100 s; 50 are left
    assert "(2 min left)" in bar.line(80)


@pytest.mark.parametrize(
    ("seconds", "text"), [(40, "40 s"), (600, "10 min"), (7200, "2.0 h")]
)
def test_times_in_words(seconds, text):
    assert describe_seconds(seconds) == text


def test_trainings_of_more_networks_weigh_more():
    protocols = {
        "1": ProtSimulateMicrographs(numberOfMicrographs=10),
        "2": ProtDeepConsensusTrain(nModels=1),
        "3": ProtDeepConsensusTrain(nModels=3),
        "4": ProtDeepConsensusSelect(),
    }
    for label, protocol in protocols.items():
        protocol.setObjLabel(label)
    work = expected_work(protocols)
    assert work["3"] > 2 * work["2"] > work["1"] > work["4"] > 0


def test_first_stages_of_a_job_are_a_small_part_of_it():
    assert part_done({"stage": "cut boxes", "done": 5, "total": 5}) == 0.1
    assert part_done({"stage": "train", "done": 0, "total": 9}) == 0.1
    assert part_done({"stage": "train, round 2", "done": 9, "total": 9}) == 1.0
    assert part_done({"stage": "pick", "done": 0, "total": 0}) == 0.1
