# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings ``extraNegatives=`` and the like: a user's own sets to train and test on."""

from __future__ import annotations

from pathlib import Path

from pyworkflow.protocol import params

from deepconsensus_plugin.commands.fields import Node
from deepconsensus_plugin.commands.given_paths import SET_NAMES
from deepconsensus_plugin.commands.settings import RunSettings
from deepconsensus_plugin.core.particle_files.reading import holds_images
from deepconsensus_plugin.report.forms import form_of

_TRAINED = ("ProtDeepConsensusTrain", "ProtDeepConsensusScreen")
_IMPORT_MICROGRAPHS = "ProtImportMicrographs"
_FIRST_ID = 9100


def with_sets(nodes: list[Node], settings: RunSettings) -> list[Node]:
    """Import the user's own sets, and give them to the training.

    Files with images, a STAR with stacks or one stack, are imported as particles, all
    others as picks on the micrographs.

    Raises
    ------
    ValueError
        If the template trains no network, or picks have no micrographs to lie on.
    """
    if not settings.sets:
        return nodes
    trained = [n for n in nodes if n["object.className"] in _TRAINED]
    if not trained:
        name = next(iter(settings.sets))
        raise ValueError(
            f"{name}: it has no effect on this template, which does not train on "
            "agreed picks; leave it out"
        )
    imported: list[Node] = []
    given: dict[str, str | list[str]] = {}
    for name in filter(settings.sets.__contains__, SET_NAMES):
        outputs = []
        for path in settings.sets[name]:
            node = _import_of(name, path, nodes, str(_FIRST_ID + len(imported)))
            imported.append(node)
            kind = "Particles" if "inputMicrographs" not in node else "Coordinates"
            outputs.append(f"{node['object.id']}.output{kind}")
        param = form_of(trained[0]["object.className"])[name]
        many = isinstance(param, params.MultiPointerParam)
        given[name] = outputs if many else outputs[0]
    first = nodes.index(trained[0])
    changed = [{**node, **given} if node in trained else node for node in nodes]
    return [*changed[:first], *imported, *changed[first:]]


def _import_of(name: str, path: str, nodes: list[Node], number: str) -> Node:
    """Return the import of one file or folder, labelled after it."""
    node = {
        "object.id": number,
        "object.label": f"{name} of {Path(path).name}",
        "filesPath": path,
    }
    if holds_images(Path(path)):
        return {**node, "object.className": "ProtImportParticleStacks"}
    micrographs = [n for n in nodes if n["object.className"] == _IMPORT_MICROGRAPHS]
    if not micrographs:
        raise ValueError(
            f"{name}: {path} holds no images, and this template imports no micrographs "
            "that its coordinates could lie on; give a STAR with stacks, or a stack"
        )
    output = f"{micrographs[0]['object.id']}.outputMicrographs"
    return {**node, "object.className": "ProtImportPicks", "inputMicrographs": output}
