# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits of files and micrographs by name, the surest of every file; rules in `names`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TypeVar

from deepconsensus_plugin.core.pick_files.name_tokens import (
    Tokens,
    bare_name,
    file_name,
    is_number,
    split_name,
    stem,
    without_decorations,
)

Label = TypeVar("Label", bound=str | Path)
Rank = tuple[int, int]

_BY_FOLDER, _SAME, _HOLDS, _BARE, _SQUEEZED = 0, 1, 4, 6, 8
"""Levels of sureness; those of runs have a second one, for the reverse."""

_FOLDERS = 4
"""Folders of a path that may tell micrographs of one name apart."""

_LONG_NUMBER = 6


@dataclass
class Fit:
    """The micrographs that fit one label best so far."""

    rank: Rank
    micrographs: list[str] = field(default_factory=list)


def best_fits(
    names: list[str], labels: list[Label], targets: Mapping[str, Path]
) -> dict[Label, Fit]:
    """Return the micrographs that fit every label best, where any does.

    Parameters
    ----------
    names, labels : list
        Micrographs and files, each once.
    targets : mapping of micrograph name to Path
        Files that micrographs are links to.
    """
    fits: dict[Label, Fit] = {}
    _fit_folders(fits, names, labels, targets)
    same = [(file_name, bare_name), (bare_name, bare_name), (stem, stem)]
    for step, (of_label, of_name) in enumerate(same):
        owners = _group({name: of_name(name) for name in names})
        for label in labels:
            for name in owners.get(of_label(label), ()):
                _propose(fits, label, (_SAME + step, 0), name)
    rest = [label for label in labels if label not in fits]
    for squeezed in (False, True):
        if squeezed and not any(
            re.search(r"\s", str(each)) for each in (*rest, *names)
        ):
            break
        files = {x: split_name(stem(x), without_blanks=squeezed) for x in rest}
        images = {x: split_name(stem(x), without_blanks=squeezed) for x in names}
        offset = _SQUEEZED if squeezed else 0
        _fit_runs(fits, offset + _HOLDS, files, images)
        bare_files = {x: without_decorations(each) for x, each in files.items()}
        bare_images = {x: without_decorations(each) for x, each in images.items()}
        _fit_runs(fits, offset + _BARE, bare_files, bare_images)
    return fits


def _fit_folders(
    fits: dict[Label, Fit],
    names: list[str],
    labels: list[Label],
    targets: Mapping[str, Path],
) -> None:
    """Add the fits that folders decide: those of the file, with its name."""
    by_image = _group({name: split_name(stem(name)) for name in names})
    by_target = _group({name: bare_name(path) for name, path in targets.items()})
    bare_names = {bare_name(name) for name in names}
    n_of_name = Counter(map(bare_name, labels))
    for label in labels:
        own, folders = split_name(stem(label)), _folders(label)
        name_decides = isinstance(label, Path) and n_of_name[bare_name(label)] == 1
        name_decides &= bare_name(label) in bare_names
        # The folder of a single file may be called anything.
        for n in range(1, 1 if name_decides else len(folders) + 1):
            for end in range(len(own), 0, -1):
                run = (*folders[len(folders) - n :], *own[:end])
                level = _BY_FOLDER if end == len(own) else _HOLDS
                if run in by_image and _may_be_part(own, 0, end):
                    for name in by_image[run]:
                        _propose(fits, label, (level, -len(run)), name)
        for name in by_target.get(bare_name(label), ()):
            if shared := _n_shared(folders, _folders(targets[name])):
                _propose(fits, label, (_BY_FOLDER, -shared - len(own)), name)


def _folders(label: str | Path) -> Tokens:
    """Return the tokens of the last folders."""
    parts = PurePath(label).parts[:-1][-_FOLDERS:]
    return tuple(token for part in parts for token in split_name(part))


def _n_shared(first: Tokens, second: Tokens) -> int:
    """Return how many tokens are the same, counted from the end."""
    n = 0
    while n < min(len(first), len(second)) and first[-1 - n] == second[-1 - n]:
        n += 1
    return n


def _fit_runs(
    fits: dict[Label, Fit],
    level: int,
    files: Mapping[Label, Tokens],
    images: Mapping[str, Tokens],
) -> None:
    """Add the fits where a file's tokens hold a micrograph's, or the reverse."""
    by_image, by_file = _group(images), _group(files)
    for label, tokens in files.items():
        for run in _runs(tokens, by_image):
            for name in by_image[run]:
                _propose(fits, label, (level, -len(run)), name)
    numbered = {
        run: group for run, group in by_file.items() if any(map(_has_digit, run))
    }
    for name, tokens in images.items():
        for run in _runs(tokens, numbered):
            for label in numbered[run]:
                _propose(fits, label, (level + 1, -len(run)), name)


def _propose(fits: dict[Label, Fit], label: Label, rank: Rank, name: str) -> None:
    fit = fits.get(label)
    if fit is None or rank < fit.rank:
        fits[label] = Fit(rank, [name])
    elif rank == fit.rank and name not in fit.micrographs:
        fit.micrographs.append(name)


Key = TypeVar("Key")
Item = TypeVar("Item")


def _group(keys: Mapping[Item, Key]) -> dict[Key, list[Item]]:
    groups: dict[Key, list[Item]] = defaultdict(list)
    for item, key in keys.items():
        groups[key].append(item)
    return dict(groups)


def _runs(tokens: Tokens, known: Mapping[Tokens, object]) -> Iterator[Tokens]:
    """Yield the runs of `tokens` that are known names, where numbers do not forbid."""
    lengths = range(1, len(tokens) + 1)
    for start in range(len(tokens)):
        for length in lengths[: len(tokens) - start]:
            run = tokens[start : start + length]
            if run in known and _may_be_part(tokens, start, start + length):
                yield run


def _may_be_part(tokens: Tokens, start: int, end: int) -> bool:
    if tokens[end : end + 1] and is_number(tokens[end]):
        return False
    before = tokens[start - 1] if start else ""
    only_numbers = all(is_number(token) for token in tokens[start:end])
    short_number = is_number(before) and len(before) < _LONG_NUMBER
    return not (only_numbers and short_number)


def _has_digit(token: str) -> bool:
    return any(map(str.isdigit, token))
