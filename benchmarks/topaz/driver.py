# SPDX-License-Identifier: GPL-3.0-or-later
"""Driver that runs inside the interpreter with topaz-em, for `benchmarks.topaz.peer`.

    .venv-topaz/bin/python benchmarks/topaz/driver.py REQUEST.json RESULT.json

The package's own functions and commands, timed, with what makes them comparable:

- Its count of a particle's pixels, patched. Up to 0.3.20 it counts the 2-D disc once in
  each of 2·radius + 1 planes (203 pixels instead of 29 at radius 3), both of labelled
  and of expected particles; π, and what is left of it without the labels, come out
  seven times too large.
- Its crops and their angles come from generators without a seed; here they have one.
- It scores without recording gradients. As released it keeps what every layer made of
  a whole micrograph, many times the memory.
- torchvision is there without the compiled operators that it loads when it is imported:
  built for CUDA, they do not load beside a torch without, and nothing here calls them.

A request holds ``task`` ("train" or "pick"), ``folder``, ``micrographs`` (paths; each
is prepared as ``folder/prepared/STEM.mrc``), ``binning``, ``threads``, ``seed`` and
what `train` and `pick` take. Needs nothing of this repository.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import resource
import sys
import time
import types
from pathlib import Path
from typing import Any

import numpy as np


def main() -> None:
    request, result = map(Path, sys.argv[1:])
    asked = json.loads(request.read_text())
    import_topaz()
    started_s = time.time() - process_start()
    seed_everything(asked["seed"])
    folder = Path(asked["folder"])
    costs = {"start_up_s": started_s, "prepare_s": prepare(asked, folder / "prepared")}
    costs |= {"train": train, "pick": pick}[asked["task"]](asked, folder)
    costs["peak_mebibytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result.write_text(json.dumps(costs))


def import_topaz() -> None:
    """Import the package, and patch what the module's docstring says."""
    package = types.ModuleType("torchvision")
    found = importlib.util.find_spec("torchvision")
    package.__path__ = found.submodule_search_locations
    sys.modules["torchvision"] = package
    import topaz.commands.train
    import topaz.extract
    import topaz.stats

    topaz.stats.pixels_given_radius = topaz.training.pixels_given_radius = disc_pixels


def process_start() -> float:
    """Return when the interpreter was started, seconds as those of `time.time`."""
    import psutil

    return psutil.Process().create_time()


def seed_everything(seed: int) -> None:
    """Seed the generators that the package uses, those it makes later as well."""
    import torch

    torch.manual_seed(seed)
    np.random.seed(seed)
    made, numbers = np.random.default_rng, itertools.count(seed)
    np.random.default_rng = lambda given=None: made(
        [seed, next(numbers)] if given is None else given
    )


def disc_pixels(radius: int, dims: int = 2) -> int:
    """Return the pixels of a disc, for `topaz.stats.pixels_given_radius`."""
    axis = np.arange(-radius, radius + 1)
    return int((axis[:, None] ** 2 + axis**2 <= radius**2).sum())


def prepare(asked: dict[str, Any], folder: Path) -> float:
    """Downsample and normalise as ``topaz preprocess``; return the seconds it took."""
    import topaz.stats
    import torch

    torch.set_num_threads(asked["threads"])
    began = time.perf_counter()
    topaz.stats.normalize_images(
        asked["micrographs"],
        str(folder),
        num_workers=0,
        scale=asked["binning"],
        affine=False,
        niters=100,
        alpha=900,
        beta=1,
        sample=10,
        metadata=False,
        formats=["mrc"],
        use_cuda=False,
        verbose=False,
    )
    return time.perf_counter() - began


def train(asked: dict[str, Any], folder: Path) -> dict[str, float]:
    """Run ``topaz train`` on ``folder/prepared``; the network is ``folder/model.sav``.

    Parameters
    ----------
    asked : dict
        ``labels`` (stem, x and y of each, downsampled pixels), ``options`` (of the
        command), ``n_updates``.
    folder : Path
        Where everything lies.
    """
    import topaz.commands.train as command
    import topaz.training
    import torch

    fit, spent = topaz.training.fit_epochs, {}

    def timed_fit(*positional: Any, **named: Any) -> None:
        began, began_cpu = time.perf_counter(), time.process_time()
        fit(*positional, **named)
        spent["update_s"] = (time.perf_counter() - began) / asked["n_updates"]
        spent["update_cpu_s"] = (time.process_time() - began_cpu) / asked["n_updates"]

    topaz.training.fit_epochs = timed_fit
    lines = [("image_name", "x_coord", "y_coord"), *asked["labels"]]
    labels = folder / "labels.txt"
    labels.write_text("".join("\t".join(map(str, each)) + "\n" for each in lines))
    words = [
        *("--train-images", str(folder / "prepared")),
        *("--train-targets", str(labels)),
        *("--device", "-1", "--num-threads", str(asked["threads"])),
        *("--epoch-size", str(asked["n_updates"]), "--num-epochs", "1"),
        *("--output", str(folder / "curve.txt")),
        *asked["options"],
    ]
    network = command.main(command.add_arguments().parse_args(words))
    torch.save(network, folder / "model.sav")
    return spent


def pick(asked: dict[str, Any], folder: Path) -> dict[str, float]:
    """Score and extract as ``topaz extract``, micrograph by micrograph.

    Parameters
    ----------
    asked : dict
        ``model`` (a file, or the name of a network that the package ships),
        ``extraction_radius``, ``threshold``.
    folder : Path
        Gets ``scores/STEM.npy``, log-odds of every pixel, and ``picks/STEM.npz``, with
        ``xy``, downsampled pixels, and ``scores``.
    """
    import torch
    from topaz.extract import nms_iterator, score_images

    torch.set_grad_enabled(False)
    paths = [
        str(folder / "prepared" / f"{Path(each).stem}.mrc")
        for each in asked["micrographs"]
    ]
    for name in ("scores", "picks"):
        (folder / name).mkdir(exist_ok=True)
    spent = {"score_s": 0.0, "extract_s": 0.0}
    began, began_cpu = time.perf_counter(), time.process_time()
    for path, map_ in score_images(asked["model"], paths, device=-1):
        scored = time.perf_counter()
        found = nms_iterator(
            [(path, map_)], asked["extraction_radius"], asked["threshold"]
        )
        _, scores, xy = next(found)
        extracted = time.perf_counter()
        stem = Path(path).stem
        np.save(folder / "scores" / f"{stem}.npy", map_)
        np.savez(folder / "picks" / f"{stem}.npz", xy=xy, scores=scores)
        spent["score_s"] += scored - began
        spent["extract_s"] += extracted - scored
        began = time.perf_counter()
    return spent | {"pick_cpu_s": time.process_time() - began_cpu}


if __name__ == "__main__":
    main()
