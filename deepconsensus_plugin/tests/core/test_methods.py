# SPDX-License-Identifier: GPL-3.0-or-later
"""Registry of methods: every entry leads to what it says, without Keras."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import is_dataclass, replace
from pathlib import Path

import pytest

from deepconsensus_plugin import bibtex
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.jobs import main, read_request, run_job, write_job
from deepconsensus_plugin.core.methods import METHODS, find_method, resolve
from deepconsensus_plugin.core.pipeline.network_pick_requests import NetworkPickRequest
from deepconsensus_plugin.core.serialisation import read_json, write_json

PICK = NetworkPickRequest((), Path("model"), Path("found"), Path("picks.h5"))


def test_kinds_and_jobs_are_told_apart():
    assert len({method.kind for method in METHODS}) == len(METHODS)
    assert len({method.job for method in METHODS}) == len(METHODS)


def test_cards_are_of_their_kind_and_papers_are_known():
    known = set(re.findall(r"@\w+\{(\w+)", bibtex.__doc__ or ""))
    for method in METHODS:
        assert method.card_type.kind == method.kind
        assert method.citation in known


def test_what_entries_name_is_there():
    for method in METHODS:
        assert is_dataclass(resolve(method.request))
        assert method.options is None or is_dataclass(resolve(method.options))
        assert callable(resolve(method.run))
        assert callable(resolve(method.load))


def test_cards_and_requests_load_no_learning_library():
    names = [name for m in METHODS for name in (m.card, m.request, m.options) if name]
    script = (
        "import sys\n"
        "from deepconsensus_plugin.core.methods import resolve\n"
        f"for name in {names}:\n"
        "    resolve(name)\n"
        "    assert not {'keras', 'tensorflow'} & set(sys.modules), name\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError, match=r"expected one of .*'topaz'.*received 'other'"):
        find_method("other")


def test_a_request_of_no_job_is_refused(tmp_path):
    with pytest.raises(TypeError, match=r"expected one of .*'train_topaz'"):
        write_job(tmp_path / "job.json", object())


def test_options_that_no_method_offers_are_not_left_out(tmp_path):
    with pytest.raises(TypeError, match=r"one of \['HydraPickOptions'\], received str"):
        write_job(tmp_path / "job.json", replace(PICK, options="fast"))


def test_options_are_read_by_their_method_alone(tmp_path):
    job = tmp_path / "job.json"
    write_job(job, PICK)
    content = read_json(job)
    content["request"]["hydra"] = None
    write_json(job, content)
    assert read_request(job, NetworkPickRequest) == PICK
    content["request"]["options"] = {"head": "general"}
    write_json(job, content)
    with pytest.raises(FileFormatError, match="no field options of NetworkPickReq"):
        read_request(job, NetworkPickRequest)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"kind": "bake", "request": {}}, r"one of \['simulate', .*, received 'bake'"),
        ({"request": {}}, "expected the key kind, received none"),
        ({"kind": "pick"}, "expected the key request, received none"),
    ],
)
def test_a_job_that_is_not_known_is_refused(tmp_path, caplog, content, complaint):
    job = tmp_path / "job.json"
    write_json(job, content)
    with pytest.raises(FileFormatError, match=rf"job\.json: .*{complaint}"):
        run_job(job)
    assert main([str(job)]) == 1
    assert "job.json: expected" in caplog.text
