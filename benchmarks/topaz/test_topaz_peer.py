# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of running topaz-em and reading its results, with a stand-in interpreter."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.topaz import process as topaz_process
from benchmarks.topaz.driver import disc_pixels
from benchmarks.topaz.peer import pick_pretrained, run
from benchmarks.topaz.sets import LearningSet
from deepconsensus_plugin.core.pickers.topaz.examples import disc_mask
from deepconsensus_plugin.core.pickers.topaz.parameters import (
    Objective,
    TopazParameters,
)
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

STAND_IN = """
import json, sys
from pathlib import Path
import numpy as np
asked = json.loads(Path(sys.argv[1]).read_text())
if asked["seed"] == 13:
    sys.exit("bad luck")
folder = Path(asked["folder"])
costs = {"start_up_s": 1, "prepare_s": 2, "peak_mebibytes": 3}
if asked["task"] == "train":
    (folder / "model.sav").write_text("weights")
    costs |= {"update_s": 4, "update_cpu_s": 5}
else:
    for name in ("scores", "picks"):
        (folder / name).mkdir()
    for path in asked["micrographs"]:
        stem = Path(path).stem
        np.save(folder / "scores" / stem, np.zeros((10, 20), np.float32))
        np.savez(folder / "picks" / stem, xy=[[15, 2], [0, 9]], scores=[3.0, -1.0])
    costs |= {"score_s": 6, "extract_s": 7, "pick_cpu_s": 8}
Path(sys.argv[2]).write_text(json.dumps(costs))
"""


@pytest.fixture
def driven(tmp_path, monkeypatch):
    """Two micrographs of 40 × 80 pixels, and an interpreter that knows nothing."""
    driver = tmp_path / "driver.py"
    driver.write_text(STAND_IN)
    monkeypatch.setattr(topaz_process, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(topaz_process, "DRIVER", driver)
    micrographs = []
    for name in ("a.mrc", "b.mrc"):
        (tmp_path / name).write_text(name)
        micrographs.append(Micrograph(name, tmp_path / name, (40, 80), 2.0))
    truth = {
        "a.mrc": ScoredCoordinates.from_arrays([[10.4, 33.0], [20, 50]]),
        "b.mrc": ScoredCoordinates.from_arrays([[8, 60]]),
    }
    first, second = micrographs
    return LearningSet("two", (first,), (second,), truth, 48.0, 36, binning=4)


def asked_of(folder):
    return json.loads((folder / "request.json").read_text())


def option(words, name):
    return words[words.index(name) + 1]


def test_a_particle_has_the_pixels_of_a_disc():
    assert disc_pixels(3) == 29
    for radius in range(6):
        assert disc_pixels(radius) == disc_mask(radius).sum()


def test_picks_are_pixels_of_the_micrographs(driven, tmp_path):
    result = run(driven, driven.truth, tmp_path / "o", parameters=TopazParameters())

    found = result.picking.picks["b.mrc"]
    np.testing.assert_allclose(found.yx, [[8, 60], [36, 0]])
    assert found.scores.tolist() == [3, -1]
    assert result.picking.read_scores("b.mrc").shape == (10, 20)
    assert (result.training.update_s, result.picking.costs.total_s) == (4, 15)


def test_it_is_told_what_ours_is_told(driven, tmp_path):
    parameters = TopazParameters(
        objective=Objective.GE_KL, n_epochs=2, n_updates=30, seed=7, autoencoder=0.5
    )
    labels = {"a.mrc": driven.truth["a.mrc"].take([0])}
    run(driven, labels, tmp_path / "o", parameters=parameters)

    train = asked_of(tmp_path / "o" / "train")
    assert train["labels"] == [["a", 8, 3]]
    assert (train["n_updates"], train["seed"], train["binning"]) == (60, 7, 4)
    words = train["options"]
    assert (option(words, "--method"), option(words, "--slack")) == ("GE-KL", "10.0")
    assert option(words, "--num-particles") == "2.0"
    assert option(words, "--autoencoder") == "0.5"
    assert asked_of(tmp_path / "o" / "pick")["extraction_radius"] == 3


def test_its_own_detector_sees_the_recommended_pixel_size(driven, tmp_path):
    pick_pretrained(driven.test, 48.0, tmp_path / "o")

    asked = asked_of(tmp_path / "o")
    assert (asked["model"], asked["binning"]) == ("resnet16_u64", 4)


def test_what_was_done_is_kept_and_what_differs_is_not(driven, tmp_path):
    folder = tmp_path / "o"
    before = topaz_process.drive(folder, driven.test, task="train", seed=1)
    (folder / "mark").touch()

    assert topaz_process.drive(folder, driven.test, task="train", seed=1) == before
    assert (folder / "mark").exists()
    topaz_process.drive(folder, driven.test, task="train", seed=2)
    assert not (folder / "mark").exists()


def test_failure_names_the_log_and_is_not_kept(driven, tmp_path):
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"ended with 1; see .*log\.txt"):
            topaz_process.drive(tmp_path / "o", driven.test, task="train", seed=13)
    assert "bad luck" in (tmp_path / "o" / "log.txt").read_text()


def test_the_interpreter_is_made_by_a_command(driven, tmp_path, monkeypatch):
    monkeypatch.setattr(topaz_process, "PYTHON", tmp_path / "none")
    with pytest.raises(FileNotFoundError, match="make env-topaz"):
        topaz_process.drive(tmp_path / "o", driven.test, task="train", seed=1)
