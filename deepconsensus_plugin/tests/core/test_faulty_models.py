# SPDX-License-Identifier: GPL-3.0-or-later
"""Models from elsewhere: nothing in them runs, and what does not fit is refused."""

from __future__ import annotations

import io
import json
import os
import sys
import zipfile
from dataclasses import replace

import h5py
import keras
import numpy as np
import pytest

from deepconsensus_plugin.core.deep_consensus.architecture import stored_network
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.network import build_network
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.store import load_scorers, save_model
from deepconsensus_plugin.core.errors import FileFormatError, ModelFormatError
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.library import find_models
from deepconsensus_plugin.core.networks.card import TrainingSet
from deepconsensus_plugin.core.networks.weights import read_weights
from deepconsensus_plugin.core.pickers.deepem.architecture import DeepEMArchitecture
from deepconsensus_plugin.core.pickers.deepem.network import (
    build_network as build_deepem,
)
from deepconsensus_plugin.core.pickers.deepem.parameters import Variant
from deepconsensus_plugin.core.pickers.hydra.network import (
    Form,
    build_body,
    build_head,
    join,
)
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraArchitecture
from deepconsensus_plugin.core.pickers.hydra.stored_parts import (
    HEAD,
    stored_body,
    stored_heads,
)
from deepconsensus_plugin.core.pickers.topaz.architecture import convolutions
from deepconsensus_plugin.core.pickers.topaz.architecture import (
    stored_network as stored_topaz,
)
from deepconsensus_plugin.core.pickers.topaz.network import build_network as build_topaz
from deepconsensus_plugin.core.pipeline.try_model import run
from deepconsensus_plugin.core.pipeline.try_model_request import TryModelRequest
from deepconsensus_plugin.core.pipeline.weights_apart import try_weights
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.serialisation import to_plain, write_json

CARD = EnsembleCard(
    box_size=90,
    sampling_rate=3.54,
    preprocessing=BoxPreprocessing(input_size=16),
    training=TrainingParameters(n_models=1),
    training_sets=[TrainingSet("AND", True, 500, 1.0)],
)
WEIGHTS, KERNEL = "model.weights.h5", "layers/functional/layers/conv2d/vars/0"


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    """Return the files in the archive of a small model."""
    folder = tmp_path_factory.mktemp("good")
    keras.utils.set_random_seed(0)
    save_model(folder, [build_network(input_size=16)], CARD)
    with zipfile.ZipFile(folder / "model.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_model(folder, members, card=CARD):
    """Write a model folder of these files."""
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / "model.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    write_json(folder / "card.json", to_plain(card))


def with_changed(members, change):
    """Return the files with weights that `change` has edited."""
    buffer = io.BytesIO(members[WEIGHTS])
    with h5py.File(buffer, "r+") as file:
        change(file)
    return members | {WEIGHTS: buffer.getvalue()}


def exchange(file, values=None, **options):
    del file[KERNEL]
    file.create_dataset(KERNEL, data=values, **options)


@pytest.mark.parametrize(
    ("network", "stored"),
    [
        (build_network(input_size=32), stored_network(1, input_size=32)),
        (
            build_topaz(convolutions(n_units=2)),
            stored_topaz(convolutions(n_units=2)),
        ),
        *(
            (
                build_deepem(DeepEMArchitecture.of_box(36), variant=variant),
                DeepEMArchitecture.of_box(36).stored_network(
                    is_normalised=variant is Variant.MODERN
                ),
            )
            for variant in Variant
        ),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_cards_know_the_shapes_of_their_networks(network, stored):
    shapes = [shape for layer in stored.layers for shape in layer.shapes]
    assert shapes == [weight.shape for weight in network.get_weights()]


def test_a_card_knows_the_order_of_a_dozen_heads(tmp_path):
    small = HydraArchitecture(
        body_channels=2, head_channels=(2,), n_residual=1, n_groups=1
    )
    parts = [build_body(small, Form.PLAIN)]
    for number in range(12):
        head = build_head(small, Form.PLAIN)
        head.name = HEAD.format(number=number)
        parts.append(head)
    for number, part in enumerate(parts):
        part.set_weights([np.full(w.shape, number) for w in part.get_weights()])
    join(parts[0], parts[1:]).save(tmp_path / "model.keras")

    class Card:
        def stored_networks(self):
            return (stored_body(small), *stored_heads(small, 12))

    for number, weights in enumerate(read_weights(tmp_path, Card())):
        assert all((each == number).all() for each in weights)


def test_nothing_of_a_foreign_description_runs(tmp_path, members, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where the command below leaves its mark
    layer = keras.layers.Lambda(lambda x: os.system("touch ran") or x)
    network = keras.Sequential([keras.Input((16, 16, 1)), layer])
    network.save(tmp_path / "evil.keras")
    with zipfile.ZipFile(tmp_path / "evil.keras") as archive:
        evil = archive.read("config.json")
    (tmp_path / "ran").unlink()  # building the network ran it: the mark works
    write_model(tmp_path / "model", members | {"config.json": evil})
    assert run(TryModelRequest(tmp_path / "model"), Progress()).n_scored == 1
    write_model(tmp_path / "model", {WEIGHTS: members[WEIGHTS]})  # nor is it needed
    assert len(load_scorers(tmp_path / "model")) == 1
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda f: exchange(f, np.full((15, 15, 1, 8), np.nan, "f4")), "finite weigh"),
        (lambda f: exchange(f, np.zeros((15, 15, 1, 9), "f4")), "shape .15, 15, 1, 8."),
        (lambda f: exchange(f, np.zeros((15, 15, 1, 8), "i4")), "something else"),
        (lambda f: exchange(f, shape=(10**6, 10**6), dtype="f4"), "of shape"),
        (lambda f: exchange(f, shape=(15, 15, 1, 8), dtype="f4"), "all of .* in the"),
        (
            lambda f: exchange(
                f, np.zeros((15, 15, 1, 8), "f4"), compression="gzip", chunks=True
            ),
            "all of .* in the file",
        ),
        (lambda f: f.__delitem__(KERNEL), "26 arrays of weights, .* received 25"),
        (lambda f: f.create_dataset("layers/more", data=1.0), "received 27"),
    ],
)
def test_weights_that_are_not_those_of_the_card(tmp_path, members, change, match):
    if "26" in match or "27" in match:
        n = sum(len(layer.shapes) for layer in CARD.stored_networks()[0].layers)
        match = match.replace("26", str(n)).replace("25", str(n - 1))
        match = match.replace("27", str(n + 1))
    write_model(tmp_path, with_changed(members, change))
    with pytest.raises(ModelFormatError, match=match):
        read_weights(tmp_path, CARD)
    with pytest.raises(ModelFormatError, match=match):
        run(TryModelRequest(tmp_path), Progress())


@pytest.mark.parametrize(
    "link", [h5py.ExternalLink("other.h5", "/x"), h5py.SoftLink("/layers")]
)
def test_links_in_weights_are_refused(tmp_path, members, link):
    def change(file):
        values = file[KERNEL][...]
        del file[KERNEL]
        file[KERNEL] = link
        file["layers/kept"] = values

    write_model(tmp_path, with_changed(members, change))
    with pytest.raises(ModelFormatError, match="a link to another place"):
        read_weights(tmp_path, CARD)


def test_values_in_another_file_are_refused(tmp_path, members):
    shape = (15, 15, 1, 8)
    (tmp_path / "secret").write_bytes(bytes(4 * 15 * 15 * 8))
    outside = [(str(tmp_path / "secret"), 0, h5py.h5f.UNLIMITED)]

    def change(file):
        exchange(file, shape=shape, dtype="f4", external=outside)

    write_model(tmp_path, with_changed(members, change))
    with pytest.raises(ModelFormatError):
        read_weights(tmp_path, CARD)


def test_a_network_of_which_the_file_has_not_the_weights_is_not_built(
    tmp_path, members
):
    for card in (
        replace(CARD, n_models=1000),
        replace(CARD, preprocessing=BoxPreprocessing(input_size=16 * 10**6)),
    ):
        write_model(tmp_path, members, card)
        with pytest.raises(ModelFormatError, match="weights of the network on the car"):
            load_scorers(tmp_path)


def test_weights_with_which_nothing_can_be_computed(tmp_path, members):
    def change(file):
        file[KERNEL.replace("conv2d", "dense_1")][...] = 3e38

    write_model(tmp_path, with_changed(members, change))
    with pytest.raises(ModelFormatError, match="gives numbers for noise, received NaN"):
        run(TryModelRequest(tmp_path), Progress())


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"../../evil": b""}, "received also '../../evil'"),
        ({"/etc/passwd": b""}, "received also"),
        ({f"file{i}": b"" for i in range(3000)}, "a list of many files"),
    ],
)
def test_archives_with_other_files_are_refused(tmp_path, members, more, match):
    write_model(tmp_path, members | more)
    with pytest.raises(ModelFormatError, match=match):
        read_weights(tmp_path, CARD)
    (listed,) = find_models(tmp_path)
    assert match.split()[-1] in listed.fault


def test_archives_that_unpack_to_too_much_are_refused_unseen(tmp_path, members):
    write_model(tmp_path, members)
    path = tmp_path / "model.keras"
    content, name = path.read_bytes(), WEIGHTS.encode()
    entry = content.rindex(b"PK\x01\x02", 0, content.rindex(name))
    size = (2**31).to_bytes(4, "little")
    path.write_bytes(content[: entry + 24] + size + content[entry + 28 :])
    with pytest.raises(ModelFormatError, match="2147483648 bytes when unpacked"):
        read_weights(tmp_path, CARD)


@pytest.mark.parametrize("content", [b"", b"half", b"PK\x05\x06" + b"\xff" * 18])
def test_files_that_are_no_archives_are_refused(tmp_path, content):
    write_json(tmp_path / "card.json", to_plain(CARD))
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(ModelFormatError, match="damaged"):
        read_weights(tmp_path, CARD)


@pytest.mark.parametrize(
    ("kind", "value", "match"),
    [
        ("sampling_rate", -1, "sampling_rate to be"),
        ("sampling_rate", 1e300, "sampling_rate to be"),
        ("n_models", 0, "n_models to be"),
        ("n_models", 2**62, "n_models to be"),
        ("box_size", 2**40, "box_size to be"),
        ("kind", ["x"], "kind to be one of"),
    ],
)
def test_cards_that_cannot_be_are_refused(tmp_path, members, kind, value, match):
    write_model(tmp_path, members)
    content = json.loads((tmp_path / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps(content | {kind: value}))
    with pytest.raises(FileFormatError, match=match):
        run(TryModelRequest(tmp_path), Progress())


@pytest.mark.parametrize(
    ("script", "match"),
    [
        ("exec sleep 100", "read within 0.2 s, received a file with which the library"),
        ("echo free >&2; kill -SEGV $$", "at which their reader died .free"),
        ("exit 7", "died .status 7"),
    ],
)
def test_a_library_that_hangs_or_dies_ends_with_its_process(
    tmp_path, monkeypatch, script, match
):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(ModelFormatError, match=match) as refused:
        try_weights(tmp_path, longest_s=0.2 if "sleep" in script else 60)
    assert refused.value.path == tmp_path / "model.keras"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_reader_apart_says_what_the_reader_says(tmp_path, members):
    try_weights_of(tmp_path / "right", members)
    wrong = with_changed(members, lambda file: file.__delitem__(KERNEL))
    with pytest.raises(ModelFormatError) as here:
        write_model(tmp_path / "wrong", wrong)
        read_weights(tmp_path / "wrong", CARD)
    with pytest.raises(ModelFormatError, match="arrays of weights") as apart:
        try_weights_of(tmp_path / "wrong", wrong)
    assert str(apart.value) == str(here.value)


def try_weights_of(folder, members):
    write_model(folder, members)
    try_weights(folder)
