# SPDX-License-Identifier: GPL-3.0-or-later
"""Streaming: what is ready, when to train, and progress that survives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.streaming import (
    StreamBatch,
    StreamInput,
    StreamProgress,
    read_progress,
    ready_micrographs,
    write_progress,
)


def test_a_micrograph_is_ready_when_no_open_input_can_add_to_it():
    fast = StreamInput({"a", "b", "c"}, is_open=True)
    slow = StreamInput({"b"}, is_open=True)
    assert ready_micrographs("abc", [fast, slow]) == ["b"]
    # Closed: it found nothing on the others.
    assert ready_micrographs("abc", [fast, replace(slow, is_open=False)]) == [*"abc"]
    assert ready_micrographs("cd", [fast]) == ["c"]
    assert ready_micrographs("dc", []) == ["d", "c"]


def test_training_is_due_at_first_and_whenever_the_particles_have_doubled():
    progress, trained_at = StreamProgress(), []
    for number in range(8):
        progress = progress.taken_in(StreamBatch([str(number)], 50, 30))
        if progress.is_training_due(40):
            progress = progress.trained()
            trained_at.append(number)
    assert trained_at == [1, 3, 7]
    assert progress.trained_on == [60, 120, 240]
    assert progress.micrographs == [*"01234567"]


def test_what_it_says_adds_up():
    batches = [StreamBatch(["a", "b"], 20, 9), StreamBatch(["c"], 7, 5)]
    progress = StreamProgress(batches, n_scored=1, trained_on=[9], n_seen=5, n_open=2)
    first, second, third = progress.sentences()
    assert first == (
        "5 micrographs so far: 2 scored, 3 waiting (1 of them seen by all pickers and "
        "taken in); 2 inputs are open."
    )
    assert "20 candidates scored; 14 particles" in second
    assert third == "Trainings so far: 1, the last on 9 agreed particles."
    assert len(StreamProgress().sentences()) == 2


def test_progress_survives(tmp_path):
    path = tmp_path / "progress.json"
    assert read_progress(path) is None
    batch = StreamBatch(["a"], 3, 2)
    progress = StreamProgress([batch], 1, [2], 4, 1, made_from="form")
    write_progress(path, progress)
    assert read_progress(path) == progress
    path.write_text(path.read_text().replace("n_scored", "n_stored"))
    with pytest.raises(FileFormatError, match="n_stored"):
        read_progress(path)
