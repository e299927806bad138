# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the corpus: roles apart, sets repeatable, and read as they were made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.hydra.acquisitions import ACQUISITIONS
from benchmarks.hydra.corpus import RECORD, Extent, load_corpus, make_set
from benchmarks.hydra.samples import (
    HELD_OUT_FILES,
    HELD_OUT_PHANTOMS,
    SAMPLES,
    STRUCTURES,
    Role,
    Sample,
)
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.simulation import Assembly

TINY = Extent(n_train=2, n_validation=1, n_test=1, side=96)
SAMPLE = Sample("tiny", Role.TARGET, Assembly(1, (35, 30, 30)), 12, 0.1, "usual")
SOURCES = [sample for sample in SAMPLES if sample.role is Role.SOURCE]
TARGETS = [sample for sample in SAMPLES if sample.role is Role.TARGET]


def pixels_of(found):
    micrographs = (*found.train, *found.validation, *found.test)
    return [np.array(open_micrograph(each.path)) for each in micrographs]


def test_as_many_sets_as_the_thesis_and_sizes_like_its_own():
    sizes = [sample.size_px for sample in SAMPLES]

    assert len(SOURCES) >= 24
    assert len(TARGETS) == 7
    assert (min(sizes), max(sizes)) == (7, 78)
    assert len({sample.name for sample in SAMPLES}) == len(SAMPLES)
    assert {sample.acquisition for sample in SAMPLES} == set(ACQUISITIONS)


def test_no_source_shows_a_target_or_what_the_real_sets_show():
    held_out = {*(target.molecule for target in TARGETS), *HELD_OUT_FILES}
    held_out.update(HELD_OUT_PHANTOMS)
    besides = {
        acquisition.contamination.second_protein.assembly
        for acquisition in ACQUISITIONS.values()
        if acquisition.contamination.second_protein is not None
    }
    shown = {source.molecule for source in SOURCES}
    seeds = {each.seed for each in held_out if isinstance(each, Assembly)}

    assert not held_out & (shown | besides)
    assert None not in besides  # no built-in shape among the contaminants
    assert not seeds & {each.seed for each in besides}
    assert not any(isinstance(each, Assembly) and each.group == "O" for each in shown)


def test_a_set_is_read_as_it_was_made_also_elsewhere(tmp_path):
    record = make_set(SAMPLE, TINY, tmp_path / "made" / "tiny", workers=1)
    (tmp_path / "made").rename(tmp_path / "moved")
    (found,) = load_corpus(tmp_path / "moved")

    assert (found.name, found.role) == ("tiny", Role.TARGET)
    assert [len(found.train), len(found.validation), len(found.test)] == [2, 1, 1]
    names = [each.name for each in (*found.train, *found.validation, *found.test)]
    assert sorted(found.truth) == sorted(set(names))
    assert found.diameter_px == pytest.approx(12, rel=0.02)
    assert found.diameter_A == record.diameter_A
    assert found.sampling_rate == record.sampling_rate
    assert record.n_particles == np.median([len(found.truth[name]) for name in names])
    assert found.test[0].shape == (96, 96)


def test_the_same_pixels_again_and_others_for_another_name(tmp_path):
    for place in ("a", "b"):
        make_set(SAMPLE, TINY, tmp_path / place / "tiny", workers=1)
    make_set(replace(SAMPLE, name="other"), TINY, tmp_path / "a" / "other", workers=1)
    other, one = load_corpus(tmp_path / "a")
    (again,) = load_corpus(tmp_path / "b")

    for first, second in zip(pixels_of(one), pixels_of(again), strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(pixels_of(one)[0], pixels_of(other)[0])


def test_only_what_is_missing_is_made(tmp_path):
    make_set(SAMPLE, TINY, tmp_path / "tiny", workers=1)
    kept, lost = sorted((tmp_path / "tiny" / "micrographs").glob("*.mrc"))[:2]
    record = tmp_path / "tiny" / RECORD
    before, recorded = kept.stat().st_mtime_ns, record.stat().st_mtime_ns
    make_set(SAMPLE, TINY, tmp_path / "tiny", workers=1)
    assert record.stat().st_mtime_ns == recorded
    lost.unlink()
    make_set(SAMPLE, TINY, tmp_path / "tiny", workers=1)

    assert lost.exists()
    assert kept.stat().st_mtime_ns == before
    make_set(replace(SAMPLE, coverage=0.02), TINY, tmp_path / "tiny", workers=1)
    assert kept.stat().st_mtime_ns != before


def test_roles_are_chosen_and_none_is_an_error(tmp_path):
    make_set(SAMPLE, TINY, tmp_path / "tiny", workers=1)

    assert len(load_corpus(tmp_path, Role.TARGET)) == 1
    with pytest.raises(FileNotFoundError, match="expected source sets of a corpus"):
        load_corpus(tmp_path, Role.SOURCE)


def test_a_record_that_is_none_is_named(tmp_path):
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / RECORD).write_text('{"schema": 1}')

    with pytest.raises(FileFormatError, match=RECORD):
        load_corpus(tmp_path)


def test_molecules_from_files_need_the_folder(monkeypatch, tmp_path):
    target = next(each for each in TARGETS if isinstance(each.molecule, str))
    monkeypatch.delenv(STRUCTURES, raising=False)
    with pytest.raises(FileNotFoundError, match=STRUCTURES):
        target.parameters(96)
    monkeypatch.setenv(STRUCTURES, str(tmp_path))
    with pytest.raises(FileNotFoundError, match=Path(target.molecule).name):
        target.parameters(96)
