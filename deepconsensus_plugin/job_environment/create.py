# SPDX-License-Identifier: GPL-3.0-or-later
"""Maker of the jobs' environment: ``python -m …job_environment.create FOLDER``.

Scipion runs it (`Plugin.defineBinaries`) in the folder that it made for this version of
the environment; an interrupted one is continued by the same command. Where Scipion has
conda, that brings the Python; elsewhere the newest suitable one that is found makes a
virtual environment.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from deepconsensus_plugin.job_environment.devices import ask_devices
from deepconsensus_plugin.job_environment.location import MARKER, python_in
from deepconsensus_plugin.job_environment.requirements import EXTRAS, of_jobs, written
from deepconsensus_plugin.job_environment.versions import ask_versions, unmet

PYTHONS = ("3.12", "3.11", "3.10")
"""Versions that this package is tested with, newest first."""

_CAN_MAKE = "import ensurepip, venv, sys; print('%d.%d' % sys.version_info[:2])"


class EnvironmentMakingError(Exception):
    """Error of an environment that could not be made; the message says why."""


def main(words: list[str] | None = None) -> int:
    """Make an environment from the command line; the exit status is 0 if it works."""
    parser = argparse.ArgumentParser(prog="deepconsensus_plugin.job_environment.create")
    parser.add_argument("folder", type=Path, help="folder to make it in")
    parser.add_argument("--extra", choices=EXTRAS, default="learning")
    parser.add_argument(
        "--conda", help="command that activates conda; empty if it is on PATH"
    )
    parser.add_argument("--python", help="interpreter to make it with, without conda")
    options = parser.parse_args(words)
    try:
        make_environment(
            options.folder, options.extra, conda=options.conda, python=options.python
        )
    except EnvironmentMakingError as fault:
        print(f"error: {fault}", file=sys.stderr)
        return 1
    return 0


def make_environment(
    folder: Path, extra: str, *, conda: str | None = None, python: str | None = None
) -> None:
    """Make an environment in `folder`, try it, and mark it as complete.

    Parameters
    ----------
    folder : path
        Made if it is absent; the environment is ``folder/env``.
    extra : str
        One of `EXTRAS`.
    conda : str, optional
        Command that activates conda, empty if conda is on PATH; None without conda.
    python : str, optional
        Interpreter to make it with; default: the newest suitable one.

    Raises
    ------
    EnvironmentMakingError
        If a step fails, or TensorFlow cannot be imported at the end.
    """
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    own = python_in(folder)
    if not own.exists():
        _run(creation_command(own.parents[1], conda, python))
    requirements = of_jobs(extra)
    install = [str(own), "-I", "-m", "pip", "install"]
    _run(shlex.join([*install, *map(written, requirements)]))
    versions = ask_versions(str(own), [each.name for each in requirements])
    if missing := unmet(versions, requirements):
        raise EnvironmentMakingError(f"{folder}: pip left out {', '.join(missing)}")
    seen = ask_devices(str(own), "tensorflow", _clean_environ())
    if seen.fault:
        raise EnvironmentMakingError(f"{own} cannot import TensorFlow: {seen.fault}")
    print(f"{versions.describe('tensorflow')}: {', '.join(seen.names)}")
    record = {"extra": extra, "versions": versions.found, "devices": seen.names}
    (folder / MARKER).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def creation_command(
    prefix: Path, conda: str | None = None, python: str | None = None
) -> str:
    """Return the command that makes an empty environment in `prefix`."""
    if conda is not None and python is None:
        create = ["conda", "create", "-y", "-p", str(prefix), f"python={PYTHONS[0]}"]
        activation = f"{conda.rstrip(' ;&')} && " if conda.strip() else ""
        return f"{activation}{shlex.join([*create, 'pip'])}"
    interpreter = python or find_python(candidates())
    return shlex.join([interpreter, "-I", "-m", "venv", str(prefix)])


def candidates() -> list[str]:
    """Return the interpreters that may make an environment, best first."""
    names = [f"python{version}" for version in PYTHONS]
    on_path = [found for name in names if (found := shutil.which(name))]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    of_pyenv = [
        str(found)
        for version in PYTHONS
        for found in sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
    ]
    return [*on_path, *of_pyenv, sys.executable]


def find_python(interpreters: Iterable[str]) -> str:
    """Return the newest suitable interpreter that can make an environment.

    Raises
    ------
    EnvironmentMakingError
        If there is none.
    """
    best: dict[str, str] = {}
    for interpreter in interpreters:
        version = _version_if_able(interpreter)
        best.setdefault(version, interpreter)
    for version in PYTHONS:
        if version in best:
            return best[version]
    raise EnvironmentMakingError(
        f"expected Python {', '.join(PYTHONS)} with its venv, or conda, found none. "
        "Install one (apt-get install python3 python3-venv), or set "
        "CONDA_ACTIVATION_CMD in Scipion's configuration"
    )


def _version_if_able(interpreter: str) -> str:
    """Return an interpreter's version, ``3.12``; empty if it cannot make one."""
    try:
        answer = subprocess.run(
            [interpreter, "-I", "-c", _CAN_MAKE],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()


def _clean_environ() -> dict[str, str]:
    """Return this environment without what leads Python into another one."""
    other = ("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE")
    return {name: value for name, value in os.environ.items() if name not in other}


def _run(command: str) -> None:
    """Print a command and run it."""
    print(f"+ {command}", flush=True)
    done = subprocess.run(["bash", "-c", command], env=_clean_environ(), check=False)
    if done.returncode:
        raise EnvironmentMakingError(f"status {done.returncode} of: {command}")


if __name__ == "__main__":
    sys.exit(main())
