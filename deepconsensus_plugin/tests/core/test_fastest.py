# SPDX-License-Identifier: GPL-3.0-or-later
"""Fastest form of each convolution: measured once, remembered, the same on continue."""

from __future__ import annotations

import json

import pytest

from deepconsensus_plugin.core.networks import fastest
from deepconsensus_plugin.core.networks.convolution import Device
from deepconsensus_plugin.core.networks.fastest import cache_path, fastest_forms
from deepconsensus_plugin.core.networks.forms import Convolution, Form, keep_forms
from deepconsensus_plugin.core.networks.trial import measure_forms

WIDE, NARROW = Convolution(15, 8, 8, 64), Convolution(3, 8, 8, 16)
FORMS = (Form.FOURIER, Form.PLAIN)


@pytest.fixture
def trials(tmp_path, monkeypatch):
    """Return the trials made, on a CPU by whose rule the wide one is in Fourier space.

    In a trial packed columns take half the time.
    """
    made = []

    def measure(convolution, *, scoring):
        made.append((convolution, scoring))
        return {Form.PLAIN: 4.0, Form.FOURIER: 2.0, Form.PACKED: 1.0}

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv(fastest.VARIABLE, "")
    monkeypatch.setattr(fastest, "current_device", lambda: Device.CPU)
    monkeypatch.setattr(fastest, "measure_forms", measure)
    return made


def test_the_fastest_form_is_measured_once(trials):
    for _ in range(2):
        chosen = fastest_forms([WIDE, WIDE, NARROW], scoring=False)
        assert chosen == (Form.PACKED, Form.PACKED, Form.PLAIN)
    assert trials == [(WIDE, False)]


def test_training_and_scoring_are_measured_apart(trials):
    fastest_forms([WIDE], scoring=False)
    fastest_forms([WIDE], scoring=True)
    assert trials == [(WIDE, False), (WIDE, True)]


def test_another_processor_is_measured_again(trials, tmp_path, monkeypatch):
    fastest_forms([WIDE], scoring=False)
    other = tmp_path / "cpuinfo"
    other.write_text("model name\t: other\nflags\t: sse\n\nmodel name\t: other\n")
    monkeypatch.setattr(fastest, "CPUINFO", other)
    fastest_forms([WIDE], scoring=False)
    assert len(trials) == 2
    other.write_text(other.read_text() + "cpu MHz\t: 1234\n")
    fastest_forms([WIDE], scoring=False)
    assert len(trials) == 2


def test_what_is_nearly_as_fast_does_not_change_the_form(trials, monkeypatch):
    monkeypatch.setattr(
        fastest,
        "measure_forms",
        lambda *_, **__: {Form.PLAIN: 0.95, Form.FOURIER: 1.0, Form.PACKED: 0.92},
    )
    assert fastest_forms([WIDE], scoring=False) == (Form.FOURIER,)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"schema": 99}', '{"schema": 1, "%s": "quick"}']
)
def test_a_cache_that_cannot_be_read_is_ignored(trials, content):
    fastest_forms([WIDE], scoring=False)
    (name,) = set(json.loads(cache_path().read_text())) - {"schema"}
    cache_path().write_text(content.replace("%s", name))
    assert fastest_forms([WIDE], scoring=False) == (Form.PACKED,)
    assert len(trials) == 2
    fastest_forms([WIDE], scoring=False)  # the cache was mended
    assert len(trials) == 2


def test_a_cache_that_cannot_be_written_is_no_fault(trials, tmp_path):
    (tmp_path / "deepconsensus").write_text("a file in the place of the folder")
    assert fastest_forms([WIDE], scoring=False) == (Form.PACKED,)


@pytest.mark.parametrize(("choice", "form"), [("rule", "FOURIER"), ("plain", "PLAIN")])
def test_the_trial_can_be_switched_off(trials, monkeypatch, choice, form):
    monkeypatch.setenv(fastest.VARIABLE, choice)
    assert fastest_forms([WIDE], scoring=False) == (Form[form],)
    assert not trials


def test_a_gpu_is_not_tried(trials, monkeypatch):
    monkeypatch.setattr(fastest, "current_device", lambda: Device.ACCELERATOR)
    assert fastest_forms([WIDE], scoring=False) == (Form.PLAIN,)
    assert not trials


def test_other_choices_are_refused(monkeypatch):
    monkeypatch.setenv(fastest.VARIABLE, "fast")
    with pytest.raises(ValueError, match=r"measured, rule or plain, .* fast"):
        fastest_forms([WIDE], scoring=False)


@pytest.mark.parametrize(
    ("scoring", "other"), [(False, Form.PACKED), (True, Form.STRIDED)]
)
def test_a_trial_times_every_form(scoring, other):
    seconds = measure_forms(Convolution(7, 2, 2, 8), scoring=scoring)
    assert list(seconds) == [Form.PLAIN, Form.FOURIER, other]
    assert all(each > 0 for each in seconds.values())


def test_forms_are_kept_for_the_same_work(tmp_path):
    path = tmp_path / "forms.json"
    assert keep_forms(path, lambda: FORMS, made_from="a") == FORMS
    assert keep_forms(path, tuple, made_from="a") == FORMS
    assert keep_forms(path, tuple, made_from="b") == ()
    assert keep_forms(path, lambda: FORMS, made_from="b") == ()
