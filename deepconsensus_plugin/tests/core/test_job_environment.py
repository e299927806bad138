# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ast
import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from deepconsensus_plugin.core import jobs
from deepconsensus_plugin.job_environment import create, launcher, location, verdict
from deepconsensus_plugin.job_environment.create import EnvironmentMakingError
from deepconsensus_plugin.job_environment.devices import ask_devices
from deepconsensus_plugin.job_environment.gpus import (
    DriverReport,
    SeenDevices,
    ask_driver,
    read_driver,
    why_no_gpu,
)
from deepconsensus_plugin.job_environment.installation import command
from deepconsensus_plugin.job_environment.location import Origin
from deepconsensus_plugin.job_environment.requirements import (
    NOT_FOR_JOBS,
    of_jobs,
    written,
)
from deepconsensus_plugin.job_environment.versions import (
    Versions,
    ask_versions,
    unmet,
)

ROOT = Path(__file__).parents[3]
ONE_GPU = DriverReport(("NVIDIA H200",), "550.54.15", (12, 4))
CPU_ONLY = SeenDevices("tensorflow", ("CPU",), for_cuda="12.5.1")


def script(path: Path, text: str) -> str:
    """Make a shell script that stands in for a program."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


# -------------------------- which Python --------------------------
def test_chosen_python_comes_before_the_one_that_scipion_made(tmp_path):
    (tmp_path / location.MARKER).touch()

    assert location.choose_python("/a/python", tmp_path) == ("/a/python", Origin.CHOSEN)
    made = str(tmp_path / "env" / "bin" / "python")
    assert location.choose_python("", tmp_path) == (made, Origin.MADE)
    own = (sys.executable, Origin.OWN)
    assert location.choose_python("", tmp_path / "incomplete") == own
    assert location.choose_python("", None) == own


def test_environment_for_gpus_is_taken_when_it_is_complete(tmp_path):
    cpu, gpu = (
        tmp_path / f"{name}-{location.ENVIRONMENT_VERSION}"
        for name in ("deepconsensus", "deepconsensusGPU")
    )
    gpu.mkdir()
    assert location.find_home(tmp_path) == cpu
    (gpu / location.MARKER).touch()
    assert location.find_home(tmp_path) == gpu


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"SCIPION_HOME": "/s"}, "/s/software/em"),
        ({"SCIPION_HOME": "/s", "SCIPION_SOFTWARE": "/t"}, "/t/em"),
        ({"SCIPION_HOME": "/s", "EM_ROOT": "other"}, "/s/other"),
        ({"SCIPION_HOME": "/s", "EM_ROOT": "/em"}, "/em"),
    ],
)
def test_programs_lie_where_scipion_has_them(variables, expected):
    assert location.find_em_root(variables) == (expected and Path(expected))


def test_check_finds_what_the_plugin_finds(tmp_path):
    home = tmp_path / "software" / "em" / location.folder_name("deepconsensus")
    home.mkdir(parents=True)
    (home / location.MARKER).touch()
    variables = {"SCIPION_HOME": str(tmp_path)}

    found = location.python_from(variables)

    assert found == (str(location.python_in(home)), Origin.MADE)
    variables["DEEPCONSENSUS_HOME"] = str(tmp_path / "elsewhere")
    assert location.python_from(variables) == (sys.executable, Origin.OWN)


# -------------------------- what it needs --------------------------
def test_jobs_need_what_core_imports_and_nothing_of_scipion():
    names = {each.name for each in of_jobs()}

    assert {"tensorflow", "keras", "h5py", "pydantic", "biopython"} <= names
    assert names.isdisjoint(NOT_FOR_JOBS)


def test_core_imports_nothing_that_jobs_go_without():
    without = {"pwem", "pyworkflow", "matplotlib", "packaging"}
    imported = set()
    for path in (ROOT / "deepconsensus_plugin" / "core").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])

    assert len(NOT_FOR_JOBS) == len(without)
    assert imported.isdisjoint(without)


def lines_of(name: str) -> list[str]:
    """Return the requirements in a file, without comments."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [bare for line in lines if (bare := line.split("#")[0].strip())]


def test_a_change_of_requirements_is_a_new_version_of_the_environment():
    # Scipion makes an environment anew when its version changes, and only then. After
    # a change of either file: raise ENVIRONMENT_VERSION, and write its digest here.
    lines = lines_of("requirements.txt") + lines_of("requirements-learning.txt")
    needed = [each for each in lines if Requirement(each).name not in NOT_FOR_JOBS]
    digest = hashlib.sha256("\n".join(sorted(needed)).encode()).hexdigest()[:12]

    assert (location.ENVIRONMENT_VERSION, digest) == ("1.0", "fed0f53e0b19")


def test_requirements_are_written_as_pip_takes_them():
    requirement = Requirement("tensorflow[and-cuda]<2.22,>=2.16; extra == 'gpu'")

    (again,) = [Requirement(written(requirement))]

    assert (again.name, again.extras) == ("tensorflow", {"and-cuda"})
    assert again.specifier == requirement.specifier
    assert again.marker is None


# -------------------------- whether it works --------------------------
def test_versions_are_asked_of_the_other_python():
    versions = ask_versions(sys.executable, ["numpy", "ml_dtypes", "no-such-thing"])

    assert versions.version == ".".join(map(str, sys.version_info[:3]))
    assert {"numpy", "ml-dtypes", "keras"} <= set(versions.found)
    assert "no-such-thing" not in versions.found
    assert versions.describe("tensorflow").startswith(f"{sys.executable} (Python 3.")


def test_python_that_fails_says_why(tmp_path):
    failing = script(tmp_path / "python", "echo no library >&2; exit 1")
    silent = script(tmp_path / "silent", "true")

    assert ask_versions(failing, []).fault == "no library"
    assert ask_versions(silent, []).fault
    assert "No such file" in ask_versions(str(tmp_path / "gone"), []).fault
    assert ask_devices(failing, "tensorflow", {}).fault == "no library"


def test_python_that_does_not_fit_is_asked_again_but_not_for_each_protocol(
    tmp_path, monkeypatch
):
    asked = tmp_path / "asked"
    python = script(tmp_path / "python", f"echo x >> {asked}; echo no >&2; exit 1")
    now = [1000.0]
    monkeypatch.setattr(verdict.time, "monotonic", lambda: now[0])

    for _ in range(20):
        assert verdict.versions_of(python).fault == "no"
    at_first = asked.read_text().count("x")
    now[0] += 60
    verdict.versions_of(python)

    assert (at_first, asked.read_text().count("x")) == (2, 3)


def test_missing_and_wrong_versions_are_told():
    found = Versions("python", "3.11", {"keras": "3.5.0", "ml-dtypes": "0.5.4"})
    required = map(Requirement, ["keras>=3.12", "ml_dtypes<0.6", "h5py>=3.11"])

    assert unmet(found, required) == ["keras>=3.12 (found 3.5.0)", "h5py (missing)"]


def test_sentence_names_place_versions_fault_and_remedy(monkeypatch):
    old = Versions("/e/python", "3.11.7", {"keras": "3.5.0", "tensorflow": "2.21.0"})
    monkeypatch.setattr(verdict, "versions_of", lambda python: old)
    monkeypatch.setattr(verdict, "of_jobs", lambda: [Requirement("keras>=3.12")])

    sentence = verdict.environment_fault("/e/python", Origin.MADE, "tensorflow")

    assert sentence.startswith(
        "Jobs run in /e/python (Python 3.11.7, TensorFlow 2.21.0, Keras 3.5.0), made "
        "by scipion3 installb. What they need is not there: keras>=3.12 (found 3.5.0)."
    )
    assert sentence.endswith("then scipion3 installb deepconsensus")


def test_another_backend_needs_no_tensorflow(monkeypatch):
    asked = ask_versions(sys.executable, [each.name for each in of_jobs()])
    found = {k: v for k, v in asked.found.items() if k != "tensorflow"}
    jax = Versions(sys.executable, "3.11.7", found | {"jax": "0.9"})
    monkeypatch.setattr(verdict, "versions_of", lambda python: jax)

    assert verdict.environment_fault(sys.executable, Origin.OWN, "jax") is None
    lacking = verdict.environment_fault(sys.executable, Origin.OWN, "torch")
    assert "torch (missing)" in lacking


def test_gpu_without_libraries_is_a_warning(monkeypatch):
    bare = Versions(sys.executable, "3.11.7", {"tensorflow": "2.21.0"})
    monkeypatch.setattr(verdict, "versions_of", lambda python: bare)

    def warning(gpus):
        return verdict.libraries_warning(sys.executable, "tensorflow", gpus)

    assert "NVIDIA H200" in warning(["NVIDIA H200"])
    assert "scipion3 installb deepconsensusGPU" in warning(["NVIDIA H200"])
    assert warning([]) is None
    bare.found["nvidia-cudnn-cu12"] = "9.3"
    assert warning(["NVIDIA H200"]) is None


# -------------------------- its devices --------------------------
def test_devices_are_the_last_line_that_is_printed(tmp_path):
    python = script(
        tmp_path / "python", 'echo noise; echo \'[["GPU H200", "CPU"], "12.5"]\''
    )

    seen = ask_devices(python, "tensorflow", {})

    assert (seen.names, seen.for_cuda) == (("GPU H200", "CPU"), "12.5")
    assert seen.has_gpu


def test_driver_is_read_as_nvidia_smi_writes():
    table = (
        "| NVIDIA-SMI 550.54.15    Driver Version: 550.54.15    CUDA Version: 12.4  |"
    )
    listed = "NVIDIA H200, 550.54.15\nNVIDIA A2, 550.54.15\n"

    report = read_driver(listed, table)

    assert report == DriverReport(("NVIDIA H200", "NVIDIA A2"), "550.54.15", (12, 4))


def test_driver_that_does_not_answer_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_driver() == DriverReport()

    script(tmp_path / "nvidia-smi", "echo cannot talk to it; exit 9")
    report = ask_driver()

    assert report.fault == "cannot talk to it"
    assert "cannot talk to it" in reason_for(driver=report)


def reason_for(*, driver=ONE_GPU, seen=CPU_ONLY, has_libraries=True, environ=()):
    return why_no_gpu(seen, driver, has_libraries=has_libraries, environ=dict(environ))


def test_there_is_no_reason_where_nothing_is_missed():
    assert reason_for(driver=DriverReport()) is None
    assert reason_for(seen=SeenDevices("jax", ("GPU H200", "CPU"))) is None


@pytest.mark.parametrize("hidden", ["", "-1", "NoDevFiles"])
def test_hidden_gpus(hidden):
    reason = reason_for(environ={"CUDA_VISIBLE_DEVICES": hidden})

    assert reason == f"CUDA_VISIBLE_DEVICES={hidden!r} hides them"


@pytest.mark.parametrize("shown", ["0", "1,2", "GPU-8932", "MIG-1"])
def test_gpus_that_are_chosen_are_not_hidden(shown):
    assert "hides" not in reason_for(environ={"CUDA_VISIBLE_DEVICES": shown})


def test_other_reasons():
    assert "has no CUDA libraries" in reason_for(has_libraries=False)
    cpu_wheel = SeenDevices("tensorflow", ("CPU",))
    assert "built for CPUs only" in reason_for(seen=cpu_wheel)
    old = DriverReport(("Tesla K80",), "470.57", (11, 4))
    assert reason_for(driver=old) == (
        "driver 470.57 supports CUDA 11.4, TensorFlow needs 12.5.1: update the driver"
    )
    told = SeenDevices(
        "tensorflow", ("CPU",), "12.5.1", log="I oneDNN is on\nE cuInit: no device\nW x"
    )
    assert reason_for(seen=told).endswith("does not open them: E cuInit: no device")


# -------------------------- how it is made --------------------------
def test_newest_suitable_python_makes_it(tmp_path):
    pythons = {
        name: script(tmp_path / name, text)
        for name, text in {
            "old": "echo 3.8",
            "ten": "echo 3.10",
            "twelve": "echo 3.12",
            "new": "echo 3.13",
            "bare": "echo no ensurepip >&2; exit 1",
        }.items()
    }

    assert create.find_python(pythons.values()) == pythons["twelve"]
    with pytest.raises(EnvironmentMakingError, match=r"expected Python 3\.12"):
        create.find_python([pythons["old"], pythons["bare"], str(tmp_path / "gone")])


def test_conda_makes_it_where_scipion_has_conda(tmp_path):
    prefix = tmp_path / "a b"

    activated = create.creation_command(prefix, '. "/opt/conda.sh";')
    assert activated.startswith('. "/opt/conda.sh" && conda create -y -p ')
    assert create.creation_command(prefix, "").startswith("conda create")
    words = shlex.split(create.creation_command(prefix, python="/p/python3.11"))
    assert words == ["/p/python3.11", "-I", "-m", "venv", str(prefix)]


def test_command_carries_condas_activation_whole():
    activation = 'eval "$(/opt/conda/bin/conda shell.bash hook)"'
    words = shlex.split(command("gpu", conda=activation))

    assert words[words.index("--conda") + 1] == activation
    assert words[words.index("--extra") + 1] == "gpu"


def test_environment_that_fails_is_not_marked(tmp_path, capsys):
    python = script(tmp_path / "python", "exit 3")

    status = create.main([str(tmp_path / "made"), "--python", python])

    assert status == 1
    assert "error: status 3 of: " in capsys.readouterr().err
    assert not (tmp_path / "made" / location.MARKER).exists()


# -------------------------- a job in it --------------------------
def test_launcher_brings_this_package_and_nothing_around_it(tmp_path):
    job = tmp_path / "job.json"
    job.write_text(json.dumps({"schema": 1, "kind": "no such kind"}))
    python = [sys.executable, "-I"]  # neither PYTHONPATH nor the current folder

    run = subprocess.run(
        [*python, launcher.__file__, str(job)], capture_output=True, text=True
    )

    assert run.returncode == 1
    assert "kind to be one of" in run.stderr
    assert launcher.JOBS_MODULE == jobs.__name__
    probe = (
        "import runpy, sys; "
        f"names = runpy.run_path({launcher.__file__!r}); "
        "names['offer_package'](); import deepconsensus_plugin; "
        "print(deepconsensus_plugin.__file__); print(*sys.path, sep=chr(10))"
    )
    shown = subprocess.run(
        [*python, "-S", "-c", probe], capture_output=True, text=True, check=True
    )
    found, *path = shown.stdout.splitlines()
    assert Path(found) == launcher.PACKAGE / "__init__.py"
    assert str(launcher.PACKAGE.parent) not in path
    assert str(launcher.PACKAGE / "job_environment") not in path


def test_processes_of_a_job_find_the_package_too(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "")  # restored afterwards
    find = "import deepconsensus_plugin, os; print(os.path.realpath("
    command = [sys.executable, "-S", "-c", f"{find}deepconsensus_plugin.__path__[0]))"]
    with launcher.offered_to_children():
        found = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd="/"
        )
        (folder,) = Path(os.environ["PYTHONPATH"]).parts[-1:]

    assert found.stdout.strip() == str(launcher.PACKAGE)
    assert folder.startswith("deepconsensus-package-")
    assert not Path(os.environ["PYTHONPATH"]).exists()
