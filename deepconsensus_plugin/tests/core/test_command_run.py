# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of the command run: their order, its help, and its exit statuses."""

from __future__ import annotations

import argparse

import pytest

from deepconsensus_plugin.__main__ import main
from deepconsensus_plugin.commands import run
from deepconsensus_plugin.commands.template_texts import template_names, template_text


@pytest.fixture
def started(monkeypatch):
    """Note the settings and the folder that would be run."""
    calls = []

    def note(settings, folder, **_):
        calls.append((settings, folder))
        return 0

    monkeypatch.setattr(run, "_run", note)
    return calls


@pytest.mark.parametrize(
    "words",
    [
        "deep_consensus a=1 b=2 --project P",
        "--project P deep_consensus a=1 b=2",
        "deep_consensus a=1 --project P b=2",
        "a=1 --project=P b=2 deep_consensus",
    ],
)
def test_words_come_in_any_order(started, words):
    assert main(["run", *words.split()]) == 0
    ((settings, folder),) = started
    assert settings.template == "deep_consensus"
    assert settings.values == {"a": "1", "b": "2"}
    assert folder.name == "P"
    assert folder.is_absolute()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "name a template"),
        ("a=1 --project P", "name a template"),
        ("deep_consensus a=1", "--project DIR is needed"),
        ("deep_consensus nEpochs --project P", "received deep_consensus, nEpochs"),
        ("deep_consensus --project", "expected one argument"),
        ("deep_consensus --projects P --fast", "unrecognized arguments"),
    ],
)
def test_wrong_usage_is_status_2(started, capsys, words, said):
    with pytest.raises(SystemExit) as end:
        main(["run", *words.split()])
    assert end.value.code == 2
    assert said in capsys.readouterr().err
    assert not started


def test_wrong_input_is_status_1_and_an_interruption_130(monkeypatch, capsys):
    words = ["run", "deep_consensus", "--project", "P"]
    for raised, status, said in (
        (ValueError("seed: what"), 1, "error: seed: what"),
        (KeyboardInterrupt(), 130, "the same command goes on"),
    ):

        def fail(*_, raised=raised, **__):
            raise raised

        monkeypatch.setattr(run, "_run", fail)
        assert main(words) == status
        assert said in capsys.readouterr().err


def test_an_interruption_of_any_command_is_status_130(monkeypatch, capsys):
    def interrupt(arguments: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "run", interrupt)
    assert main(["run"]) == 130
    assert capsys.readouterr().err == "stopped\n"


def test_help_lists_templates_with_their_fields(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["run", "--help"]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) < 80
    for name in template_names():
        section = said[said.index(f"\n{name}\n") :]
        for field in template_text(name).fields:
            assert f"\n    {field.alias} " in section
    words = " ".join(said.split())
    assert "Pixel size (Å/px) [default: from the headers of the micrographs]" in words
    assert "Particle diameter (Å) [default: estimated from the micrographs]" in words
    assert "Voltage (kV) [default: 300]" in words
    assert "130 interrupted by Ctrl-C" in words


def test_help_of_a_template_is_of_that_one_only(capsys):
    assert main(["run", "deep_consensus_demo", "--help"]) == 0
    said = capsys.readouterr().out
    assert "deep_consensus_classical" not in said
    assert "\n    numberOfMicrographs " in said
    assert "settings of the form of ProtDeepConsensusTrain:" in said
    assert "\n    nEpochs " in said
    assert "method  " in said
    assert "difference of Gaussians; one of:" in " ".join(said.split())
    assert main(["run", "deep_consensus_dem", "--help"]) == 1
    assert "Did you mean deep_consensus_demo?" in capsys.readouterr().err


def test_a_field_of_several_pickers_is_told_once():
    fields = {field.alias: field for field in template_text("deep_consensus").fields}
    assert fields["boxSize"].title == "Box size (px)"
    assert not fields["boxSize"].is_needed
    assert fields["micrographs"].is_needed
    assert fields["picksA"].describe_default() == "needed, or picks=DIR1,DIR2,…"


def test_no_template_assumes_a_pixel_size_a_box_or_a_diameter():
    for name in template_names():
        for field in template_text(name).fields:
            if (name, field.alias) == ("deep_consensus_demo", "particleDiameter"):
                continue
            if field.alias in ("samplingRate", "boxSize", "particleDiameter"):
                assert field.default == "", name
                assert not field.is_needed, name
