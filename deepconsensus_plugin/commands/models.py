# SPDX-License-Identifier: GPL-3.0-or-later
"""Command ``models [FOLDER]``: models of a library or a project, with their cards."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from deepconsensus_plugin.bootstrap import prepare_environment
from deepconsensus_plugin.constants import DEEPCONSENSUS_MODELS
from deepconsensus_plugin.core.library import KnownModel, find_models
from deepconsensus_plugin.core.pickers.hydra.parameters import GENERAL
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model

HELP = "list the models of a library or a project, with their cards"
_WIDTH = 88


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of the command."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"""
A library is a folder of your own, with one folder for each model: a copy of the folder
extra/model of a run of *train network*. *Import model* takes models from libraries and
projects by the names that are listed here.

The library that is meant where none is named: variable {DEEPCONSENSUS_MODELS} of the
environment or of Scipion's configuration.
"""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        help="a library, the folder of a Scipion project, or one model; without it "
        "what comes with this package, and your own library",
    )


def run(arguments: argparse.Namespace) -> int:
    """List the models; the exit status is 0 unless one cannot be used."""
    try:
        prepare_environment()
        return _list(arguments.folder)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _list(given: Path | None) -> int:
    # Scipion reads its environment when it is imported.
    from deepconsensus_plugin.plugin import Plugin

    if given is not None:
        models = find_models(given.expanduser().absolute())
        if not models:
            print(f"{given}: no models.")
        return _print(models)
    print("Built-in:")
    status = _print([replace(each, name=GENERAL) for each in _built_in()])
    folder = Plugin.getModelsFolder().absolute()
    models = find_models(folder) if folder.is_dir() else []
    if not models:
        print(
            f"\nYou have no models of your own yet. Add one: copy extra/model of a run "
            f"of *train network* to {folder}/NAME"
        )
        return status
    print(f"\nYour own, in {folder}:")
    return max(status, _print(models))


def _built_in() -> list[KnownModel]:
    """Return the models that come with the package."""
    try:
        return find_models(general_model())
    except FileNotFoundError:
        return []


def _print(models: list[KnownModel]) -> int:
    """Print models; the exit status is 1 if one of them cannot be used."""
    for model in models:
        for line in _describe(model):
            print(line)
    return int(any(model.fault for model in models))


def _describe(model: KnownModel) -> Iterator[str]:
    """Yield a model's name and what is known of it, indented."""
    from deepconsensus_plugin.protocols.shared.model_summary import describeModel

    yield model.name
    lines = [f"CANNOT BE USED: {model.fault}"] if model.fault else []
    if model.card is not None:
        lines += describeModel(model.card)
        versions = ", ".join(f"{name} {v}" for name, v in model.card.versions.items())
        lines += [f"Made with {versions}."] if versions else []
    lines.append(f"Folder: {model.folder}")
    for line in lines:
        indent = {"initial_indent": "  ", "subsequent_indent": "    "}
        yield textwrap.fill(line, _WIDTH, break_long_words=False, **indent)
