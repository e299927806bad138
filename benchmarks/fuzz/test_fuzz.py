# SPDX-License-Identifier: GPL-3.0-or-later
"""A short fuzzing of every reader; `make bench-fuzz` is the long one."""

from __future__ import annotations

import random

import pytest

from benchmarks.fuzz.subjects import SUBJECTS
from benchmarks.fuzz.tables import TABLES, expected_picks
from benchmarks.fuzz.trial import READ, REFUSED, run_trials

N = 150


@pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)
def test_a_reader_refuses_or_returns_what_is_right(subject, tmp_path):
    tally = run_trials(subject, N, seed=7, folder=tmp_path)
    assert tally.faults == {}
    assert tally.n == N
    assert tally.outcomes[REFUSED] > 0


def test_mutations_leave_some_files_readable(tmp_path):
    (subject,) = (each for each in SUBJECTS if each.name == "star")
    assert run_trials(subject, N, seed=8, folder=tmp_path).outcomes[READ] > N / 10


def test_the_second_opinion_knows_numbers_and_their_limits():
    row = ["10", "20", "64", "64", "0.5"]
    assert expected_picks(TABLES["csv"], [row]) == [(10, 20, 0.5)]
    assert expected_picks(TABLES["box"], [row]) == [(42, 52, 0.5)]
    for column, token in ((0, "1e7"), (1, "nan"), (4, "inf"), (4, "1e300"), (0, "1_0")):
        wrong = [*row[:column], token, *row[column + 1 :]]
        assert expected_picks(TABLES["csv"], [wrong]) is None


def test_a_reader_that_is_wrong_is_noticed(tmp_path, monkeypatch):
    (subject,) = (each for each in SUBJECTS if each.name == "csv")
    monkeypatch.setattr(random.Random, "random", lambda _: 0.0)  # tables only
    read = subject.read

    def careless(path):
        path.write_bytes(path.read_bytes().replace(b"inf", b"1").replace(b"nan", b"1"))
        return read(path)

    object.__setattr__(subject, "read", careless)
    try:
        tally = run_trials(subject, 400, seed=1, folder=tmp_path)
    finally:
        object.__setattr__(subject, "read", read)
    assert any(outcome.startswith("WRONG") for outcome in tally.faults)
