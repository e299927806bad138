# SPDX-License-Identifier: GPL-3.0-or-later
"""Workflow of a run: protocols made from a template and a user's settings."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from deepconsensus_plugin.commands.addresses import (
    check_addresses,
    refuse_without_effect,
    with_words,
    words_for,
)
from deepconsensus_plugin.commands.fields import Node, RunTemplate, read_template
from deepconsensus_plugin.commands.given_paths import junk_or
from deepconsensus_plugin.commands.presets import with_all_pickers, with_preset
from deepconsensus_plugin.commands.settings import PicksFolder, RunSettings
from deepconsensus_plugin.commands.workflow_ctfs import with_ctfs, with_microscope
from deepconsensus_plugin.commands.workflow_sets import with_sets
from deepconsensus_plugin.report.forms import (
    PER_IMPORT,
    absolute,
    is_path,
    settable_form,
)
from deepconsensus_plugin.report.reported_run import PICKERS

IMPORT_MICROGRAPHS = "ProtImportMicrographs"
IMPORT_PICKS = "ProtImportPicks"
CONSENSUS = "ProtDeepConsensusPicks"
SCORE = "ProtDeepConsensusScore"
SELECT = "ProtDeepConsensusSelect"
EVALUATE = "ProtEvaluatePicks"
TRUTH_LABEL = "truth"

_STRUCTURES = ("structures", "secondProtein")
"""Settings that name built-in shapes, or files, separated by commas."""

_PER_FOLDER = {"scale": "scale=…", "invertY": "invertY=…", "minScore": "minScore=…"}


def with_absolute_paths(settings: RunSettings) -> RunSettings:
    """Return the settings, with paths that hold in any working directory."""
    template = read_template(settings.template)
    paths = template.path_aliases() | {
        name
        for node in template.nodes
        for name, param in settable_form(node["object.className"]).items()
        if is_path(param)
    }
    values = {
        name: absolute(value)
        if name.rpartition(".")[2] in paths - {*_STRUCTURES}
        else value
        for name, value in settings.values.items()
    }
    if junk := junk_or(settings.values.get("negatives", "")):
        values["negatives"] = junk
    for name in values.keys() & {*_STRUCTURES}:
        values[name] = ",".join(map(_absolute_file, values[name].split(",")))
    return dataclasses.replace(settings, values=values)


def _absolute_file(word: str) -> str:
    """Return the path of a file that is there; another word as it is."""
    path = absolute(word.strip())
    return path if Path(path).is_file() else word.strip()


def build_nodes(settings: RunSettings) -> list[Node]:
    """Return the protocols of a template with the user's settings in them.

    A setting is a field of the template, by its alias, or else a number, word or yes-no
    of its protocols' forms, by name, perhaps with the label before it (`addresses`). A
    preset comes first. What belongs to one folder of picks, the truth, CTFs and the
    user's own sets come after those and are not touched by them.

    Parameters
    ----------
    settings : RunSettings
        With absolute paths.

    Raises
    ------
    ValueError
        If a setting is not known, missing, ambiguous, without effect, a value that its
        parameter cannot take, or a path that no file fits; if a preset sets nothing.
    """
    template = read_template(settings.template)
    _check_names(settings, template)
    settings = with_microscope(settings, template)
    settings = _given_threshold_counts(settings, template)
    own = {k: v for k, v in settings.values.items() if k not in template.aliases}
    nodes = [
        with_words(node, words_for(node, settings, template))
        for node in with_preset(settings, template)
    ]
    if settings.picks:
        nodes = _with_pickers(nodes, settings.picks)
    if settings.truth:
        nodes = _with_evaluation(nodes, settings.truth, own)
    _refuse_unused(settings, template, nodes := with_ctfs(nodes, settings.ctf))
    nodes = with_sets(nodes, settings)
    nodes = [with_all_pickers(template.fill(node, settings.values)) for node in nodes]
    refuse_without_effect(settings, template, nodes)
    return nodes if settings.stacks else [_without_stacks(node) for node in nodes]


def _check_names(settings: RunSettings, template: RunTemplate) -> None:
    for name in settings.values.keys() & PER_IMPORT - template.aliases:
        raise ValueError(f"{name}: give picks=DIR,…; the folder's name is the picker's")
    for name in settings.values.keys() & _PER_FOLDER.keys() - template.aliases:
        if settings.picks:
            raise ValueError(
                f"{name}: it belongs to one picker: picks=DIR:{_PER_FOLDER[name]},…"
            )
    check_addresses(settings, template, [EVALUATE] if settings.truth else [])


def _only(nodes: list[Node], class_name: str) -> Node:
    if found := [n for n in nodes if n["object.className"] == class_name]:
        return found[0]
    raise ValueError(f"expected a template with a {class_name}, received one without")


def _with_pickers(nodes: list[Node], folders: tuple[PicksFolder, ...]) -> list[Node]:
    """Replace the template's imports of picks by one for each folder.

    What a consensus takes besides, such as the picks of a network, it keeps.
    """
    pattern = _only(nodes, IMPORT_PICKS)
    imports = [
        {
            **pattern,
            "object.id": f"{pattern['object.id']}{i:03d}",
            "object.label": f"picks of {folder.picker}",
            "filesPath": folder.path,
            "pickerName": folder.picker,
            "scale": folder.scale,
            "invertY": folder.invert_y,
            "minScore": folder.min_score,
        }
        for i, folder in enumerate(folders)
    ]
    outputs = [f"{node['object.id']}.outputCoordinates" for node in imports]
    replaced = {n["object.id"] for n in nodes if n["object.className"] == IMPORT_PICKS}
    result: list[Node] = []
    for node in nodes:
        if node is pattern:
            result += imports
        elif node["object.className"] == CONSENSUS:
            inputs = node["inputCoordinates"]
            kept = [name for name in inputs if name.split(".")[0] not in replaced]
            result.append({**node, "inputCoordinates": [*outputs, *kept]})
        elif node["object.className"] != IMPORT_PICKS:
            result.append(node)
    return result


def _with_evaluation(
    nodes: list[Node], truth: str, values: dict[str, str]
) -> list[Node]:
    """Compare all scored candidates with the truth, or the picks where none are scored.

    Where a selection is made, the figures are those of what it accepts; of picks that
    nothing selects from, all are. Of the settings of the picks, the truth shares the
    box size only. It is read as soon as its micrographs are there: its faults are
    reported before the long work.
    """
    box = {name: values[name] for name in values.keys() & {"boxSize"}}
    pattern = with_words(_truth_pattern(nodes), box)
    shared = ("object.className", "inputMicrographs", "boxSize")
    imported = {
        **{key: pattern[key] for key in shared if key in pattern},
        "object.id": "9001",
        "object.label": TRUTH_LABEL,
        "filesPath": truth,
        "pickerName": TRUTH_LABEL,
    }
    evaluated = with_words({"object.className": EVALUATE}, values) | {
        "object.id": "9002",
        "object.label": "comparison with truth",
        "inputCoordinates": f"{_judged(nodes)['object.id']}.outputCoordinates",
        "inputAccepted": _accepted(nodes),
        "inputTruth": "9001.outputCoordinates",
        "threshold": None,
    }
    micrographs = pattern["inputMicrographs"].split(".")[0]
    first = 1 + [node["object.id"] for node in nodes].index(micrographs)
    return [*nodes[:first], imported, *nodes[first:], evaluated]


def _judged(nodes: list[Node]) -> Node:
    """Return what is compared with a truth: what scores, or else what picks."""
    scored = any(node["object.className"] == SCORE for node in nodes)
    return _only(nodes, SCORE if scored else PICKERS[0])


def _accepted(nodes: list[Node]) -> str | None:
    """Return the set of what is accepted; None where nothing selects."""
    for node in nodes:
        if node["object.className"] == SELECT:
            return f"{node['object.id']}.outputCoordinates"
    return None


def _truth_pattern(nodes: list[Node]) -> Node:
    """Return the import that the truth's is like; without one, one of the same data."""
    for node in nodes:
        if node["object.className"] == IMPORT_PICKS:
            return node
    micrographs = _only(nodes, IMPORT_MICROGRAPHS)["object.id"]
    return {
        "object.className": IMPORT_PICKS,
        "inputMicrographs": f"{micrographs}.outputMicrographs",
    }


def _given_threshold_counts(
    settings: RunSettings, template: RunTemplate
) -> RunSettings:
    """Return the settings in which a threshold says that it is what counts."""
    if "threshold" not in settings.values:
        return settings
    mode = (
        "given" if _judged(template.nodes)["object.className"] in PICKERS else "fixed"
    )
    values = {"thresholdMode": mode, **settings.values}
    return dataclasses.replace(settings, values=values)


def _refuse_unused(
    settings: RunSettings, template: RunTemplate, nodes: list[Node]
) -> None:
    """Refuse fields that folders of picks have taken the place of."""
    used = {f.alias for node in nodes for f in template.fields_in(node).values()}
    for name in settings.values.keys() & template.aliases - used:
        raise ValueError(f"{name}: it has no effect together with picks=; leave it out")


def _without_stacks(node: Node) -> Node:
    """Return a node that selects coordinates only; another one as it is."""
    cuts = node["object.className"] == SELECT and "inputCoordinates" in node
    return {**node, "writeStacks": False} if cuts else node
