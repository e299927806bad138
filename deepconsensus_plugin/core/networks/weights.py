# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of stored networks, read into the shapes that the card tells.

Nothing in the file is run, and nothing is read that is not in it: links, data outside
the file and data that are made up while reading are refused.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.errors import ModelFormatError
from deepconsensus_plugin.core.io.untrusted import PARSER_ERRORS
from deepconsensus_plugin.core.networks.archive import read_archive
from deepconsensus_plugin.core.networks.card import WEIGHTS_FILE, ModelCard
from deepconsensus_plugin.core.networks.stored import (
    Shape,
    StoredNetwork,
    numbered,
)

Weights = list[NDArray[Any]]

_LAYERS, _VARIABLES, _NETWORK = "layers", "vars", "functional"
_BYTES = 2
"""Of the smallest weight, in half precision."""


def read_weights(folder: Path, card: ModelCard) -> list[Weights]:
    """Return the weights of every network of a model folder.

    Parameters
    ----------
    folder : Path
        Of the model.
    card : ModelCard
        Its card.

    Returns
    -------
    list of lists of arrays
        For each network, as Keras' ``set_weights`` takes them; in the type of the file.

    Raises
    ------
    ModelFormatError
        If the file is damaged, or its weights are not finite or not those of the
        networks that the card describes.
    """
    path = folder / WEIGHTS_FILE
    content = read_archive(path)
    networks = _described(folder, card, len(content))
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            return [
                _read_network(path, place, network)
                for place, network in _places(path, file, networks)
            ]
    except ModelFormatError:
        raise
    except PARSER_ERRORS as error:
        raise ModelFormatError(
            path, expected="weights in HDF5", received=str(error)[:200]
        ) from error


def _described(folder: Path, card: ModelCard, n_bytes: int) -> Sequence[StoredNetwork]:
    """Return the networks of a card, which must fit into a file of weights."""
    try:
        networks = card.stored_networks()
    except (ValueError, OverflowError, MemoryError) as error:
        raise ModelFormatError(
            folder, expected="a card of a network", received=str(error)
        ) from error
    n_weights = sum(network.n_weights for network in networks)
    if n_weights * _BYTES > n_bytes:
        raise ModelFormatError(
            folder,
            expected=f"the {n_weights} weights of the network on the card",
            received=f"a file of {n_bytes} bytes",
        )
    return networks


def _places(
    path: Path, file: Any, networks: Sequence[StoredNetwork]
) -> list[tuple[Any, StoredNetwork]]:
    """Return the group of each network."""
    n_arrays = _count_arrays(file, _LAYERS)
    described = sum(len(each.shapes) for n in networks for each in n.layers)
    if n_arrays != described:
        raise ModelFormatError(
            path,
            expected=f"{described} arrays of weights, as the card describes them",
            received=f"{n_arrays}",
        )
    if [network.name for network in networks] == [""]:
        return [(file, networks[0])]
    names = [_NETWORK, *(f"{_NETWORK}_{i}" for i in range(1, len(networks)))]
    return [
        (_hard(path, file, (_LAYERS, names[network.place])), network)
        for network in networks
    ]


def _count_arrays(file: Any, name: str) -> int:
    """Return the number of arrays in a group and those below."""
    found = 0

    def count(_: str, item: Any) -> None:
        nonlocal found
        found += isinstance(item, h5py.Dataset)

    group = file.get(name)
    if isinstance(group, h5py.Group):
        group.visititems(count)
    return found


def _read_network(path: Path, group: Any, network: StoredNetwork) -> Weights:
    return [
        _read_array(path, group, (_LAYERS, name, _VARIABLES, str(number)), shape)
        for name, layer in numbered(network.layers)
        for number, shape in enumerate(layer.shapes)
    ]


def _read_array(
    path: Path, group: Any, place: tuple[str, ...], shape: Shape
) -> NDArray[Any]:
    """Return one array of weights, checked."""
    found = _hard(path, group, place)
    name = f"{group.name}/{'/'.join(place)}".replace("//", "/")
    is_array = isinstance(found, h5py.Dataset) and found.dtype.kind == "f"
    if not is_array or found.shape != shape:
        received = f"{found.shape} of {found.dtype}" if is_array else "something else"
        expected = f"{name} to be numbers of shape {shape}"
        raise ModelFormatError(path, expected=expected, received=received)
    n_bytes = found.dtype.itemsize * int(np.prod(shape))
    if found.is_virtual or found.external or found.id.get_storage_size() != n_bytes:
        raise ModelFormatError(
            path, expected=f"all of {name} in the file", received="parts of it"
        )
    values: NDArray[Any] = found[...]
    if not np.isfinite(values).all():
        raise ModelFormatError(
            path, expected=f"finite weights in {name}", received="NaN or infinity"
        )
    return values


def _hard(path: Path, group: Any, place: tuple[str, ...]) -> Any:
    """Return what lies at a place in the file itself, not at the end of a link."""
    for part in place:
        link = group.get(part, getlink=True) if isinstance(group, h5py.Group) else None
        if not isinstance(link, h5py.HardLink):
            raise ModelFormatError(
                path,
                expected=f"weights at {'/'.join(place)}",
                received="none" if link is None else "a link to another place",
            )
        group = group[part]
    return group
