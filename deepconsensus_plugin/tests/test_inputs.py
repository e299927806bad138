# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs of a run that have changed since it began: what is done again, and said."""

from __future__ import annotations

import logging
import os

import pytest

from deepconsensus_plugin.commands.inputs import note_inputs

_PICKS, _TRUTH = "ProtImportPicks", "ProtEvaluatePicks"


@pytest.fixture
def nodes(tmp_path):
    """Two imports of picks, and what follows from them."""
    for picker in ("a", "b"):
        (tmp_path / picker).mkdir()
        (tmp_path / picker / "mic_1.box").write_text(f"{picker}\n")
    (tmp_path / "mics").mkdir()
    for number in (1, 2):
        (tmp_path / "mics" / f"mic_{number}.mrc").write_bytes(os.urandom(3000))
    return [
        _node("1", "ProtImportMicrographs", filesPath=f"{tmp_path}/mics/*.mrc"),
        _node("2", _PICKS, filesPath=f"{tmp_path}/a", inputMicrographs="1.out"),
        _node("3", _PICKS, filesPath=f"{tmp_path}/b", inputMicrographs="1.out"),
        _node("4", "ProtDeepConsensusPicks", inputCoordinates=["2.out", "3.out"]),
        _node("5", _TRUTH, inputCoordinates="4.out", inputTruth="3.out"),
        _node("6", _TRUTH, inputCoordinates="3.out", threshold="0.5"),
    ]


def _node(number, class_name, **values):
    names = {"object.id": number, "object.className": class_name}
    return {**names, "object.label": f"node {number}", **values}


def _stale(folder, nodes, **options):
    found = note_inputs(folder, nodes, **options)
    return sorted(found.changed), sorted(found.following)


def _exchange(path):
    """Put another file in the place of one, of the same size and time."""
    status = path.stat()
    path.write_bytes(os.urandom(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_nothing_is_done_again_where_nothing_has_changed(tmp_path, nodes, caplog):
    for _ in range(3):
        assert _stale(tmp_path, nodes) == ([], [])
    for path in tmp_path.glob("*/*.*"):
        os.utime(path)  # touched, not changed
    assert _stale(tmp_path, nodes) == ([], [])
    assert not caplog.records


def test_what_follows_from_an_exchanged_file_is_done_again_and_said(
    tmp_path, nodes, caplog
):
    note_inputs(tmp_path, nodes)
    _exchange(tmp_path / "a" / "mic_1.box")
    with caplog.at_level(logging.WARNING):
        stale = note_inputs(tmp_path, nodes)
    assert (stale.changed, stale.following) == ({"2"}, {"4", "5"})
    first, second = caplog.messages
    assert first == f"node 2: input has changed: {tmp_path}/a/mic_1.box is another file"
    assert second == "done again: node 2, node 4, node 5"
    stale.done("2")
    # A run that is killed now goes on with what is left.
    assert _stale(tmp_path, nodes) == ([], ["4", "5"])
    for key in ("4", "5"):
        note_inputs(tmp_path, nodes).done(key)
    assert _stale(tmp_path, nodes) == ([], [])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda mics: _exchange(mics / "mic_2.mrc"), "mic_2.mrc is another file"),
        (lambda mics: (mics / "mic_2.mrc").unlink(), "mic_2.mrc is gone or left out"),
        (lambda mics: (mics / "mic_3.mrc").touch(), "mic_3.mrc is new"),
    ],
)
def test_a_micrograph_makes_everything_stale(tmp_path, nodes, caplog, change, said):
    note_inputs(tmp_path, nodes)
    change(tmp_path / "mics")
    with caplog.at_level(logging.WARNING):
        assert _stale(tmp_path, nodes) == (["1"], ["2", "3", "4", "5", "6"])
    assert said in caplog.messages[0]


def test_a_micrograph_that_is_left_out_from_now_on_is_a_change(tmp_path, nodes):
    note_inputs(tmp_path, nodes)
    left_out = [tmp_path / "mics" / "mic_1.mrc"]
    assert _stale(tmp_path, nodes, left_out=left_out)[0] == ["1"]
    assert "1" in note_inputs(tmp_path, nodes, left_out)
