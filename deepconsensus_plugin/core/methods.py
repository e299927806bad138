# SPDX-License-Identifier: GPL-3.0-or-later
"""Registry of the methods whose models this version trains, stores and picks with.

A method is one folder of `core` and one entry of `METHODS`; nothing else in `core`
names it. What an entry points to is imported when it is needed, so that importing the
registry imports no learning library, and methods may import it.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from deepconsensus_plugin.core.errors import IncompatibleModelError, ModelFormatError
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE, ModelCard
from deepconsensus_plugin.core.serialisation import from_plain, read_json
from deepconsensus_plugin.core.types import FloatArray, Micrograph, ScoredCoordinates

Card = TypeVar("Card", bound=ModelCard)


@dataclass(frozen=True, kw_only=True)
class Method:
    """Entry of the registry; `card` to `options` are objects as ``module:name``.

    Parameters
    ----------
    kind : str
        Its name in ``card.json``.
    label : str
        Its models' name in forms and messages.
    citation : str
        Key of its paper in `bibtex`.
    card : str
        Class of its cards, a `ModelCard`; importing it imports no learning library.
    job : str
        Kind of the job that trains it.
    request, run : str
        Dataclass of that job, importable as the card, and the function
        ``(request, progress)`` that carries it out.
    load : str
        Function ``(folder, card, options)`` that returns a `TrainedPicker`.
    options : str, optional
        Dataclass of the choices that picking with it offers, importable as the card;
        a job file keeps them under `kind`. None: there is no choice.
    """

    kind: str
    label: str
    citation: str
    card: str
    job: str
    request: str
    run: str
    load: str
    options: str | None = None

    @property
    def card_type(self) -> type[ModelCard]:
        """Class of the cards."""
        found: type[ModelCard] = resolve(self.card)
        return found


class TrainedPicker(Protocol):
    """Model that picks."""

    @property
    def pixel_size_A(self) -> float:
        """Pixel size of what the network sees, Å; finer micrographs are reduced."""

    def prepare(self, micrograph: Micrograph) -> Any:
        """Read a micrograph, in any thread, as `find` takes it."""

    def score_some(self, prepared: Any) -> FloatArray:
        """Return the scores of some places, at least one, whatever they are."""

    def find(self, prepared: Any) -> ScoredCoordinates:
        """Return every place that may be a particle, one a particle, best first.

        Scores are log-odds, positions pixels of the micrograph.
        """


METHODS: tuple[Method, ...] = (
    Method(
        kind="deep_consensus",
        label="Deep Consensus network",
        citation="SanchezGarcia2018",
        card="deep_consensus.card:EnsembleCard",
        job="train",
        request="deep_consensus.requests:TrainRequest",
        run="deep_consensus.train:run",
        load="deep_consensus.picking:load",
    ),
    Method(
        kind="topaz",
        label="Topaz picker",
        citation="Bepler2019",
        card="pickers.topaz.card:TopazCard",
        job="train_topaz",
        request="pickers.topaz.request:TopazTrainRequest",
        run="pickers.topaz.train:run",
        load="pickers.topaz.picking:load",
    ),
    Method(
        kind="deepem",
        label="DeepEM picker",
        citation="Zhu2017",
        card="pickers.deepem.card:DeepEMCard",
        job="train_deepem",
        request="pickers.deepem.request:DeepEMTrainRequest",
        run="pickers.deepem.train:run",
        load="pickers.deepem.picking:load",
    ),
    Method(
        kind="hydra",
        label="HydraPicker",
        citation="MasoumzadehTork2019",
        card="pickers.hydra.card:HydraCard",
        job="train_hydra",
        request="pickers.hydra.request:HydraTrainRequest",
        run="pickers.hydra.train:run",
        load="pickers.hydra.picking:load",
        options="pickers.hydra.options:HydraPickOptions",
    ),
)


def find_method(kind: str) -> Method:
    """Return the entry of a kind of models.

    Raises
    ------
    KeyError
        If this version knows no such kind.
    """
    for method in METHODS:
        if method.kind == kind:
            return method
    raise KeyError(f"expected one of {_kinds()}, received {kind!r}")


def resolve(name: str) -> Any:
    """Return the object that ``module:name`` points to.

    Parameters
    ----------
    name : str
        The module relative to `core`, or in full where it is another package's.
    """
    module, _, attribute = name.partition(":")
    package = __name__.rpartition(".")[0]
    is_ours = importlib.util.find_spec(f"{package}.{module.partition('.')[0]}")
    path = f"{package}.{module}" if is_ours else module
    return getattr(importlib.import_module(path), attribute)


def model_files(folder: Path) -> list[Path]:
    """Return the card and the weights of a model folder.

    Raises
    ------
    ModelFormatError
        If one of them is not there.
    """
    for name in (CARD_FILE, WEIGHTS_FILE):
        if not (folder / name).is_file():
            raise ModelFormatError(
                folder,
                expected=f"a model folder with {CARD_FILE} and {WEIGHTS_FILE}",
                received=f"no {name}",
            )
    return [folder / CARD_FILE, folder / WEIGHTS_FILE]


def load_card(folder: Path) -> ModelCard:
    """Return the card of a model folder, of the class of its kind.

    Raises
    ------
    ModelFormatError
        If the folder holds no complete model, or one that this version does not know.
    FileFormatError
        If the card cannot be read.
    """
    path, _ = model_files(folder)
    content = read_json(path)
    kind = content.get("kind")
    if kind not in _kinds():
        raise ModelFormatError(
            path, expected=f"kind to be one of {_kinds()}", received=repr(kind)
        )
    return from_plain(content, find_method(kind).card_type, path=path)


def load_card_of(folder: Path, card_type: type[Card]) -> Card:
    """Return the card of a model folder that must be of one kind, or of several.

    Parameters
    ----------
    folder : Path
        Of the model.
    card_type : type
        Class of the cards of a method, or a base of several.

    Raises
    ------
    IncompatibleModelError
        If it is of another kind.
    FileFormatError
        As `load_card`.
    """
    card = load_card(folder)
    if not isinstance(card, card_type):
        fitting = [m.label for m in METHODS if issubclass(m.card_type, card_type)]
        raise IncompatibleModelError(
            f"{folder}: expected a {' or '.join(fitting)}, received a "
            f"{find_method(card.kind).label}"
        )
    return card


def load_picker(folder: Path, options: Any = None) -> TrainedPicker:
    """Return the picker of a model folder, of whatever kind.

    Parameters
    ----------
    folder : Path
        Of the model.
    options : dataclass, optional
        Choices that the method offers (`Method.options`). Default: as it was trained.

    Raises
    ------
    ModelFormatError
        If the folder holds no complete model, or one that is not known.
    IncompatibleModelError
        If the model has no such choice.
    """
    card = load_card(folder)
    picker: TrainedPicker = resolve(find_method(card.kind).load)(folder, card, options)
    return picker


def _kinds() -> tuple[str, ...]:
    return tuple(method.kind for method in METHODS)
