# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of ``run TEMPLATE``: the user's ``name=value`` words, parsed."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from deepconsensus_plugin.commands.given_paths import SET_NAMES, existing, parse_set
from deepconsensus_plugin.constants import LIST_SEPARATOR
from deepconsensus_plugin.report.yes_no import parse_yes_no

PRESET_NAMES = ("paper", "fast")
"""What ``preset=`` takes; see `commands.presets`."""

_PLACES = ("scheduler", "queue")
"""Settings that say where a run computes, not what; a project does not keep them."""

_RUN_OWN = ("picks", "truth", "ctf", "preset", "stacks", *_PLACES, *SET_NAMES)


@dataclass(frozen=True)
class PicksFolder:
    """One picker's folder, as in ``DIR:scale=0.5:invertY=yes:minScore=0.3``.

    Parameters
    ----------
    path : str
        Folder, or one file of all micrographs; its name is the picker's.
    scale : float
        What coordinates are multiplied by to get pixels of the micrographs.
    invert_y : bool
        Whether y counts from the bottom.
    min_score : float, optional
        Picks with a lower score are left out.
    name : str, optional
        The picker's, if it is not that of the folder.
    """

    path: str
    scale: float = 1.0
    invert_y: bool = False
    min_score: float | None = None
    name: str | None = None

    @property
    def picker(self) -> str:
        """The picker's name: given, or that of its folder, or of its file's stem."""
        if self.name is not None:
            return self.name
        path = Path(self.path)
        return path.stem if path.is_file() else path.name

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold; without a name, as early versions wrote it."""
        plain = asdict(self)
        if self.name is None:
            del plain["name"]
        return plain


@dataclass(frozen=True)
class RunSettings:
    """All settings of a run.

    Parameters
    ----------
    template : str
        Name of the template.
    values : dict
        Settings by name; they win over those of the preset.
    picks : tuple of PicksFolder
        Pickers; empty to use those of the template.
    truth : str, optional
        Folder of true coordinates to compare with.
    stacks : bool
        Whether particle stacks are written.
    preset : str, optional
        One of `PRESET_NAMES`.
    ctf : str, optional
        File or folder with the CTFs of the micrographs.
    sets : dict
        The user's own sets to train and to test on, by `SET_NAMES`: their paths.
    scheduler : str, optional
        Where micrographs are worked on (`core.execution.places.WorkPlace`).
    queue : str, optional
        Queue that jobs are sent to: ``yes`` for the first, ``no``, or its name.
    """

    template: str
    values: dict[str, str] = field(default_factory=dict)
    picks: tuple[PicksFolder, ...] = ()
    truth: str | None = None
    stacks: bool = True
    preset: str | None = None
    ctf: str | None = None
    sets: dict[str, tuple[str, ...]] = field(default_factory=dict)
    scheduler: str | None = None
    queue: str | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return what JSON can hold, the same for the same settings."""
        picks = [folder.to_plain() for folder in self.picks]
        plain = {**asdict(self), "picks": picks}
        for name in _PLACES:
            del plain[name]
        for name in ("preset", "ctf"):  # as runs without them were always kept
            if plain[name] is None:
                del plain[name]
        if not plain.pop("sets"):
            return plain
        return plain | {name: ",".join(paths) for name, paths in self.sets.items()}


def parse_settings(template: str, words: Sequence[str]) -> RunSettings:
    """Return the settings in `words`, each ``name=value``.

    Raises
    ------
    ValueError
        If a word is not ``name=value``, comes twice, or has a value that cannot be.
    """
    given: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise ValueError(f"expected name=value, received {word!r}")
        if name in given:
            raise ValueError(f"{name}: given twice")
        given[name] = value
    preset = given.get("preset")
    if preset is not None and preset not in PRESET_NAMES:
        raise ValueError(
            f"preset: expected one of {', '.join(PRESET_NAMES)}, received {preset}"
        )
    own = {name: given.pop(name) for name in _RUN_OWN if name in given}
    return RunSettings(
        template=template,
        values=given,
        picks=parse_picks(own.get("picks", "")),
        truth=existing("truth", own["truth"]) if "truth" in own else None,
        stacks=parse_yes_no("stacks", own.get("stacks", "yes")),
        preset=preset,
        ctf=existing("ctf", own["ctf"]) if "ctf" in own else None,
        sets={name: parse_set(name, own[name]) for name in SET_NAMES if name in own},
        scheduler=own.get("scheduler"),
        queue=own.get("queue"),
    )


def parse_picks(text: str) -> tuple[PicksFolder, ...]:
    """Return the folders of ``DIR1:scale=0.5:invertY=yes,DIR2``.

    Raises
    ------
    ValueError
        If a folder is missing, two have one name, or an option is not known.
    """
    given = [_parse_folder(part) for part in text.split(",") if part]
    folders = _told_apart(given)
    names = [folder.picker for folder in folders]
    for name in names:
        if LIST_SEPARATOR in name:
            raise ValueError(
                f"picks: {name!r}: a picker's name must not hold {LIST_SEPARATOR!r}; "
                "give another, DIR:name=…"
            )
        if names.count(name) > 1:
            raise ValueError(
                f"picks: two folders are named {name!r}, which is the picker's name; "
                "give one of them another, DIR:name=…"
            )
    return folders


def _told_apart(folders: Sequence[PicksFolder]) -> tuple[PicksFolder, ...]:
    """Return the folders; those of one name are named after what they lie in.

    cryoSPARC calls the picks of every job picked_particles.cs, crYOLO a folder CBOX.
    """
    names = [folder.picker for folder in folders]
    return tuple(
        replace(folder, name=Path(folder.path).parent.name)
        if folder.name is None and names.count(folder.picker) > 1
        else folder
        for folder in folders
    )


def _parse_folder(text: str) -> PicksFolder:
    path, *options = text.split(":")
    values: dict[str, Any] = {}
    for option in options:
        name, _, value = option.partition("=")
        if name == "scale":
            values["scale"] = _number("scale", value, positive=True)
        elif name == "invertY":
            values["invert_y"] = parse_yes_no("invertY", value)
        elif name == "name" and value:
            values["name"] = value
        elif name == "minScore":
            values["min_score"] = _number("minScore", value)
        else:
            raise ValueError(
                f"picks: {path}: expected name=…, scale=…, invertY=… or minScore=…, "
                f"received {option!r}"
            )
    return PicksFolder(existing("picks", path), **values)


def check_names(values: Sequence[str], known: Sequence[str]) -> None:
    """Refuse settings that the template does not have, and suggest what was meant.

    Raises
    ------
    ValueError
        If one is not known.
    """
    all_known = sorted({*known, *_RUN_OWN})
    for name in values:
        if name not in all_known:
            near = difflib.get_close_matches(name, all_known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ValueError(
                f"{name}: not a setting of this template.{hint} "
                f"It has: {', '.join(all_known)}"
            )


def _number(name: str, value: str, *, positive: bool = False) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (positive and number <= 0):
        expected = "a number > 0" if positive else "a number"
        raise ValueError(f"{name}: expected {expected}, received {value!r}")
    return number
