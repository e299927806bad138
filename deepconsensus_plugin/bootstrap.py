# SPDX-License-Identifier: GPL-3.0-or-later
"""Bootstrap of Scipion's environment, for commands outside Scipion's launcher.

pyworkflow reads its configuration from environment variables when it is imported and
ends the process if there is no hosts.conf, so `prepare_environment` comes before the
first ``import pyworkflow``. What is set already stays; no existing file is touched.
"""

from __future__ import annotations

import os
import sys
from importlib.resources import files
from pathlib import Path


def prepare_environment(home: Path | str | None = None) -> Path:
    """Fill in the variables that Scipion needs; return its home.

    Parameters
    ----------
    home : path, optional
        Folder for Scipion's configuration, logs and list of projects, made if it is
        absent. Default: ``$XDG_DATA_HOME/deepconsensus`` (``~/.local/share``). Ignored
        where ``SCIPION_HOME`` is set: then Scipion is installed, and keeps its own.

    Returns
    -------
    Path
        What ``SCIPION_HOME`` is afterwards.

    Raises
    ------
    RuntimeError
        If pyworkflow was imported before, and without a home: it is too late then.
    """
    chosen_home = Path(home).absolute() if home else own_home()
    _require_first_import()
    scipion_home = Path(os.environ.setdefault("SCIPION_HOME", str(chosen_home)))
    defaults = {
        "SCIPION_USER_DATA": str(scipion_home / "user-data"),
        "SCIPION_DOMAIN": "pwem",
        "SCIPION_PYTHON": sys.executable,
        "SCIPION_NOTIFY": "False",
        "SCIPION_PRIORITY_PACKAGE_LIST": "pwem",
        "VIRTUAL_ENV": sys.prefix,  # Scipion shows the environment's name
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    _provide_hosts(scipion_home, chosen_home)
    return scipion_home


def own_home() -> Path:
    """Return the folder of this plugin's own files, for all projects of a user."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "deepconsensus"


def _require_first_import() -> None:
    """Refuse when pyworkflow has read an environment without SCIPION_HOME."""
    if "pyworkflow" in sys.modules and "SCIPION_HOME" not in os.environ:
        raise RuntimeError(
            "prepare_environment: expected to be called before pyworkflow is "
            "imported, but it is imported already and SCIPION_HOME is not set"
        )


def _provide_hosts(scipion_home: Path, chosen_home: Path) -> None:
    """Point SCIPION_HOSTS at a hosts.conf, written to our own home if there is none."""
    if "SCIPION_HOSTS" in os.environ:
        return
    installed = scipion_home / "config" / "hosts.conf"
    hosts = installed if installed.exists() else chosen_home / "config" / "hosts.conf"
    if not hosts.exists():
        hosts.parent.mkdir(parents=True, exist_ok=True)
        partial = hosts.with_name(f".partial.{os.getpid()}.{hosts.name}")
        partial.write_text((files("deepconsensus_plugin") / "hosts.conf").read_text())
        partial.replace(hosts)  # two commands may do this at once
    os.environ["SCIPION_HOSTS"] = str(hosts)
