# SPDX-License-Identifier: GPL-3.0-or-later
"""Input files of a run: what has changed since it began, and what that makes stale.

The files that every node reads are noted before anything reads them. When the same
command goes on later, a node whose files are others is done again, and so is all that
follows from it; the jobs keep what was made of unchanged files.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepconsensus_plugin.commands.fields import Node, matching_files
from deepconsensus_plugin.core.digests import digest_content
from deepconsensus_plugin.core.serialisation import read_json, write_json
from deepconsensus_plugin.report.forms import form_of, is_path

logger = logging.getLogger(__name__)

_NOTED = "inputs.json"
_NAMED_AT_MOST = 3

Files = dict[str, list[Any]]
"""What tells a file from others, by its path."""


@dataclass(eq=False)
class StaleNodes:
    """Nodes of a run that are done again since their inputs have changed.

    Parameters
    ----------
    changed : set of str
        Ids of the nodes that read files which have changed.
    following : set of str
        Ids of those that use what these make.
    """

    changed: set[str]
    following: set[str]
    _folder: Path
    _files: Mapping[str, Files]

    def __contains__(self, key: str) -> bool:
        """Return whether a node is to be done again."""
        return key in self.changed | self.following

    def done(self, key: str) -> None:
        """Note that a node is finished."""
        if key in self:
            self.changed.discard(key)
            self.following.discard(key)
            self.keep()

    def keep(self) -> None:
        """Write what is known, so that a killed run goes on with it."""
        content = {
            "files": self._files,
            "changed": sorted(self.changed),
            "following": sorted(self.following),
        }
        write_json(self._folder / _NOTED, content)


def note_inputs(
    folder: Path, nodes: Sequence[Node], left_out: Collection[Path] = ()
) -> StaleNodes:
    """Note the input files of a run, and return which nodes they make stale.

    Parameters
    ----------
    folder : Path
        Folder of the project.
    nodes : sequence of dict
        All protocols, in their order, with their values.
    left_out : collection of Path
        Micrographs that are not used.
    """
    files = {node["object.id"]: _files_of(node, left_out) for node in nodes}
    noted = _read(folder)
    before = noted.get("files", files)
    labels = {node["object.id"]: node["object.label"] for node in nodes}
    changed = {*noted.get("changed", ())}
    for key, now in files.items():
        if found := [*_differences(before.get(key, now), now)]:
            others = len(found) - _NAMED_AT_MOST
            named = "; ".join(found[:_NAMED_AT_MOST])
            more = f" and {others} more" if others > 0 else ""
            logger.warning("%s: input has changed: %s%s", labels[key], named, more)
            changed.add(key)
    following = _following(nodes, changed) | {*noted.get("following", ())} - changed
    if changed or following:
        again = [name for key, name in labels.items() if key in changed | following]
        logger.warning("done again: %s", ", ".join(again))
    stale = StaleNodes(changed, following, folder, files)
    if not noted or noted.get("files") != files or changed or following:
        stale.keep()
    return stale


def _read(folder: Path) -> dict[str, Any]:
    path = folder / _NOTED
    return read_json(path) if path.is_file() else {}


def _files_of(node: Node, left_out: Collection[Path]) -> Files:
    """Return the files that a node reads, but not those that others make."""
    form = form_of(node["object.className"])
    found: Files = {}
    for name, value in node.items():
        if value and is_path(form.get(name)):
            for path in _all_files(str(value)):
                if path not in left_out:
                    found[str(path)] = digest_content(path)
    return found


def _all_files(pattern: str) -> Iterator[Path]:
    for path in map(Path, matching_files(pattern)):
        if path.is_dir():
            yield from sorted(each for each in path.rglob("*") if each.is_file())
        else:
            yield path


def _differences(before: Files, now: Files) -> Iterator[str]:
    """Yield what has become of files, one by one."""
    for path in before.keys() | now.keys():
        if path not in now:
            yield f"{path} is gone or left out"
        elif path not in before:
            yield f"{path} is new"
        elif before[path] != now[path]:
            yield f"{path} is another file"


def _following(nodes: Sequence[Node], changed: Collection[str]) -> set[str]:
    """Return the ids of the nodes that use outputs of some, directly or not."""
    found: set[str] = set()
    for node in nodes:  # each comes after those that it uses
        values = [v for v in node.values() if isinstance(v, str | list)]
        words = [w for v in values for w in ([v] if isinstance(v, str) else v)]
        used = {str(word).partition(".")[0] for word in words if "." in str(word)}
        if used & ({*changed} | found) and node["object.id"] not in changed:
            found.add(node["object.id"])
    return found
