# SPDX-License-Identifier: GPL-3.0-or-later
"""Small files that are right, from which mutations start."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from benchmarks.fuzz.own_seeds import OWN_WRITERS
from benchmarks.fuzz.seed_images import TIFFS, packed, tiff, write_mrc
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.deep_consensus.requests import ScoreRequest, TrainResult
from deepconsensus_plugin.core.io.scores_csv import write_scores_csv
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.jobs import write_job
from deepconsensus_plugin.core.metrics.classification import ClassificationMetrics
from deepconsensus_plugin.core.networks.card import TrainingSet
from deepconsensus_plugin.core.networks.history import Checkpoint
from deepconsensus_plugin.core.networks.stored import numbered
from deepconsensus_plugin.core.pick_files.picks import (
    PickFormat,
    write_merged_picks,
    write_picks,
)
from deepconsensus_plugin.core.pickers.topaz.card import TopazCard
from deepconsensus_plugin.core.pickers.topaz.parameters import TopazParameters
from deepconsensus_plugin.core.pickers.trained.prepared import MicrographPreprocessing
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.serialisation import to_plain, write_json
from deepconsensus_plugin.core.types import (
    Ctf,
    Micrograph,
    PickerPicks,
    ScoredCoordinates,
)

_RNG = np.random.default_rng(0)
_PICKS = ScoredCoordinates.from_arrays(
    _RNG.uniform(50, 900, (7, 2)).round(2), _RNG.uniform(0, 1, 7).round(4)
)
_NAMES = ("mic_001.mrc", "mic_002.mrc")
_TRAINED_ON = [TrainingSet("AND", True, 200, 1.0), TrainingSet("NEG", False, 200, 1.0)]
_RATE = 2.5
Write = Callable[[Path], object]


def seeds_of(name: str, folder: Path) -> list[bytes]:
    """Return the seeds of a subject; `folder` also gets the files beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    writers = {**_WRITERS, **OWN_WRITERS}[name]()
    return [_content(folder / "seed", write) for write in writers]


def _content(path: Path, write: Write) -> bytes:
    write(path)
    return path.read_bytes()


def _one(kind: PickFormat) -> Write:
    return lambda path: write_picks(
        path, _PICKS, box_size=64, pick_format=kind, micrograph=_NAMES[0]
    )


def _merged(kind: PickFormat) -> Write:
    shapes = dict.fromkeys(_NAMES, (1000, 1000))
    return lambda path: write_merged_picks(
        path,
        dict.fromkeys(_NAMES, _PICKS),
        box_size=64,
        pick_format=kind,
        shapes=shapes,
    )


def _picks(kind: PickFormat) -> Callable[[], list[Write]]:
    def writers() -> list[Write]:
        codec = kind.codec
        one = [_one(kind)] if codec.write else []
        return one + ([_merged(kind)] if codec.write_merged else [])

    return writers


def _write_scores(path: Path) -> None:
    candidates = Candidates.of_one(
        PickerPicks("picker", 64, dict.fromkeys(_NAMES, _PICKS))
    )
    figures = np.linspace(0, 1, len(candidates))
    reason = np.zeros(len(candidates), dtype=np.intp)
    write_scores_csv(
        path,
        candidates,
        score=figures,
        network_score=figures,
        spread=figures / 9,
        reason=reason,
    )


def _write_ctfs(path: Path) -> None:
    columns = "MicrographName DefocusU DefocusV DefocusAngle Voltage"
    columns += " SphericalAberration AmplitudeContrast PhaseShift"
    head = "".join(f"_rln{name}\n" for name in columns.split())
    rows = "".join(f"{name} 15000.5 14900 45 300 2.7 0.1 0\n" for name in _NAMES)
    path.write_text(f"\ndata_micrographs\n\nloop_\n{head}{rows}")


def _write_ctffind(path: Path) -> None:
    path.write_text(
        "# Output from CTFFind version 4.1.14, run on 2026-01-01\n"
        "# Input file: mic_001.mrc ; Number of micrographs: 1\n"
        "# Pixel size: 1.000 Angstroms ; acceleration voltage: 300.0 keV ; spherical "
        "aberration: 2.70 mm ; amplitude contrast: 0.07\n"
        "# Columns: #1 - micrograph number\n"
        "1.000000 15000.5 14900.1 45.0 0.000000 0.123456 4.5\n"
    )


def ensemble_card() -> EnsembleCard:
    """Return a card of an ensemble."""
    return EnsembleCard(
        box_size=96,
        sampling_rate=_RATE,
        preprocessing=BoxPreprocessing(input_size=16),
        training=TrainingParameters(),
        training_sets=_TRAINED_ON,
    )


def topaz_card() -> TopazCard:
    """Return a card of a small picker."""
    return TopazCard(
        box_size=96,
        sampling_rate=_RATE,
        training_sets=_TRAINED_ON,
        particle_diameter_A=150.0,
        preprocessing=MicrographPreprocessing(8.0),
        training=TopazParameters(n_units=1),
        n_particles=40.0,
        prior=0.1,
    )


def _write_ensemble_card(path: Path) -> None:
    write_json(path, to_plain(ensemble_card()))
    (path.parent / "model.keras").write_bytes(b"")


def _write_topaz_card(path: Path) -> None:
    write_json(path, to_plain(topaz_card()))


def _write_job(path: Path) -> None:
    ctf = Ctf(15000.0, 14900.0, 45.0, 300.0, 2.7, 0.1)
    micrographs = tuple(
        Micrograph(n, Path(n), (1024, 1024), _RATE, ctf) for n in _NAMES
    )
    folder = Path("extra")
    files = folder / "c.h5", 96, folder / "model", folder / "scores.h5"
    write_job(
        path.with_suffix(".job"),
        ScoreRequest(micrographs=micrographs, **dict(zip(_FIELDS, files, strict=True))),
    )
    path.write_bytes(path.with_suffix(".job").read_bytes())


_FIELDS = ("coordinates", "box_size", "model", "scores")


def _write_result(path: Path) -> None:
    figures = ClassificationMetrics(41, 41, *(0.9,) * 7)
    result = TrainResult(
        Path("extra/model"), 82, 80, [figures], None, [[Checkpoint(10, 1e-3, 0.5)]]
    )
    write_json(path, {"result": to_plain(result), "device": "CPU"})


def _write_summary(path: Path) -> None:
    shapes = {name: [1024, 1024] for name in _NAMES}
    content = {
        "box_size": 96,
        "sampling_rate": _RATE,
        "observed": {name: ["picker"] for name in _NAMES},
        "micrograph_shapes": shapes,
        "micrograph_paths": {name: f"/data/{name}" for name in _NAMES},
        "settings": {"template": "demo", "values": {"nEpochs": "1"}},
    }
    write_json(path, content)


def write_weights(path: Path) -> None:
    """Write an archive of weights and, beside it, the card that it is of."""
    write_json(path.with_name("card.json"), to_plain(topaz_card()))
    buffer = io.BytesIO()
    (network,) = topaz_card().stored_networks()
    with h5py.File(buffer, "w") as file:
        for name, layer in numbered(network.layers):
            for number, shape in enumerate(layer.shapes):
                values = np.full(shape, 0.25, np.float32)
                file[f"layers/{name}/vars/{number}"] = values
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.12.0"}))
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", buffer.getvalue())


_WRITERS: dict[str, Callable[[], list[Write]]] = {
    "box": _picks(PickFormat.BOX),
    "cbox": _picks(PickFormat.CBOX),
    "json": _picks(PickFormat.EMAN2_JSON),
    "pos": _picks(PickFormat.POS),
    "star": _picks(PickFormat.STAR),
    "topaz": _picks(PickFormat.TOPAZ),
    "csv": _picks(PickFormat.CSV),
    "cs": _picks(PickFormat.CS),
    "scores.csv": lambda: [_write_scores],
    "CTF star": lambda: [_write_ctfs],
    "CTFFIND": lambda: [_write_ctffind],
    "card": lambda: [_write_ensemble_card, _write_topaz_card],
    "job": lambda: [_write_job],
    "result": lambda: [_write_result],
    "summary": lambda: [_write_summary],
    "coordinates": lambda: [
        lambda path: write_coordinates(path, dict.fromkeys(_NAMES, _PICKS))
    ],
    "MRC": lambda: [write_mrc(kind) for kind in ("f4", "i2", "u2", "i1")],
    "MRC, gzip": packed(gzip.compress),
    "MRC, bzip2": packed(bz2.compress),
    "TIFF": lambda: [tiff(kind, o) for o in TIFFS for kind in ("u1", "i2", "f4")],
    "weights": lambda: [write_weights],
}
