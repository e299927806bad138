# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the window of scores keeps its user waiting, on many candidates.

    python -m benchmarks.viewer_speed FOLDER [--candidates 500000]

Writes a set of particles with stacks and micrographs to FOLDER (700 MB), opens the
window on a virtual screen (``apt-get install xvfb openbox``), and does what a user
does. *Pause* is the longest time in which the window answered to nothing, *computing*
what its thread computed in it, whoever else used the machine, *shown* the time until
all that was asked for is there. Medians over rounds.
"""

from __future__ import annotations

import argparse
import os
import time
import tkinter as tk
from _tkinter import DONT_WAIT
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import mrcfile
import numpy as np

from benchmarks.speed import describe_machine
from benchmarks.tables import markdown_table
from deepconsensus_plugin.bootstrap import prepare_environment
from tools.gui_check.screen import virtual_screen

_PER_MICROGRAPH = 1000
_SIDE_PX, _BOX_PX, _RATE_A = 4096, 128, 1.2
_N_FILES = 4
"""Different micrographs and stacks; the others are links to them."""
_ROUNDS = 3
_N_MOTIONS = 20


class Wait(NamedTuple):
    """Seconds that an act kept the user waiting."""

    pause: float
    computing: float
    shown: float


def write_particles(folder: Path, n_candidates: int):
    """Return a set of scored particles, a thousand on each micrograph."""
    from pwem.objects import (
        Coordinate,
        Micrograph,
        Particle,
        SetOfCoordinates,
        SetOfMicrographs,
        SetOfParticles,
    )
    from pyworkflow.object import Float, Integer, String

    from deepconsensus_plugin import constants

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(_N_FILES):
        image = rng.normal(size=(_SIDE_PX, _SIDE_PX)).astype(np.float32)
        mrcfile.write(folder / f"source_{number}.mrc", image)
        boxes = rng.normal(size=(_PER_MICROGRAPH, _BOX_PX, _BOX_PX)).astype(np.float32)
        mrcfile.write(folder / f"source_{number}.mrcs", boxes)
    micrographs = SetOfMicrographs(filename=str(folder / "micrographs.sqlite"))
    coordinates = SetOfCoordinates(filename=str(folder / "coordinates.sqlite"))
    particles = SetOfParticles(filename=str(folder / "particles.sqlite"))
    for items in (micrographs, particles):
        items.setSamplingRate(_RATE_A)
    coordinates.setMicrographs(micrographs)
    coordinates.setBoxSize(_BOX_PX)
    particles.setCoordinates(coordinates)
    votes = rng.integers(1, 4, n_candidates).tolist()
    scores = rng.beta(0.3, 0.3, n_candidates).tolist()
    places = rng.integers(_BOX_PX, _SIDE_PX - _BOX_PX, (n_candidates, 2)).tolist()
    particle, coordinate = Particle(), Coordinate()
    particle.setCoordinate(coordinate)
    for number in range(n_candidates):
        own, index = divmod(number, _PER_MICROGRAPH)
        name = f"micrograph_{own:05d}.mrc"
        if not index:
            for suffix in ("", "s"):
                source = f"source_{own % _N_FILES}.mrc{suffix}"
                (folder / (name + suffix)).symlink_to(folder / source)
            micrograph = Micrograph(location=str(folder / name))
            micrograph.setMicName(name)
            micrographs.append(micrograph)
        coordinate.setPosition(*places[number])
        coordinate.setMicId(own + 1)
        coordinate.setMicName(name)
        found = ";".join("abc"[: votes[number]])
        for kept, kind, value in (
            (constants.VOTES_ATTRIBUTE, Integer, votes[number]),
            (constants.PICKERS_ATTRIBUTE, String, found),
        ):
            setattr(coordinate, kept, kind(value))
        setattr(particle, constants.SCORE_ATTRIBUTE, Float(scores[number]))
        setattr(particle, constants.NETWORK_SCORE_ATTRIBUTE, Float(0.5))
        particle.setLocation(index + 1, str(folder / f"{name}s"))
        particle.setObjId(None)
        particles.append(particle)
    for items in (micrographs, particles):
        items.write()
    return particles


def wait_for(root: tk.Tk, frame, act: Callable[[], object]) -> Wait:
    """Do something in the window; return how long it took."""
    start = time.perf_counter()
    pauses, computing = [], []

    def answer_one_event() -> bool:
        return bool(root.tk.dooneevent(DONT_WAIT))

    do: Callable[[], object] = act
    while True:
        turn, cpu = time.perf_counter(), time.thread_time()
        more = do()
        pauses.append(time.perf_counter() - turn)
        computing.append(time.thread_time() - cpu)
        if do is answer_one_event and not more:
            if frame.is_settled:
                return Wait(max(pauses), max(computing), time.perf_counter() - start)
            time.sleep(0.002)
        do = answer_one_event


def drag(root: tk.Tk, frame) -> Wait:
    """Drag the line over the plot; return the wait for one motion of the mouse."""
    axes = frame.plots.figure.axes[0]
    widget = frame.plots.canvas.get_tk_widget()
    waits = []
    for threshold in np.linspace(0.2, 0.9, _N_MOTIONS):
        x, y = axes.transData.transform((threshold, np.mean(axes.get_ylim())))
        place = {"x": round(x), "y": round(widget.winfo_height() - y)}
        kind = "<B1-Motion>" if waits else "<Button-1>"
        waits.append(
            wait_for(root, frame, partial(widget.event_generate, kind, **place))
        )
    widget.event_generate("<ButtonRelease-1>", **place)
    return Wait(*(median(each) for each in zip(*waits, strict=True)))


def acts(root: tk.Tk, frame) -> dict[str, Callable[[], Wait]]:
    """Return what a user does, by name."""
    plots, gallery, micrograph = frame.plots, frame.gallery, frame.micrograph

    def group(number: int) -> None:
        plots._grouping.current(number)
        plots._regroup()

    def zoom() -> None:
        widget = micrograph.canvas.get_tk_widget()
        centre = {"x": widget.winfo_width() // 2, "y": widget.winfo_height() // 2}
        widget.event_generate("<Button-4>", **centre)

    def low_pass(choice: str) -> None:
        gallery._low_pass.set(choice)
        gallery._refresh()

    simple = {
        "a threshold is typed": partial(frame.set_threshold, 0.77),
        "the automatic threshold": frame.suggest,
        "the next page of particles": partial(gallery.turn, 1),
        "another low-pass": partial(low_pass, "40 Å"),
        "and back": partial(low_pass, "30 Å"),
        "bars by picker": partial(group, 1),
        "bars by votes": partial(group, 0),
        "log scale": plots._rescale,
        "the next micrograph": lambda: micrograph.show(micrograph.shown + 1),
        "zoom": zoom,
        "the whole micrograph": micrograph.view.show_all,
    }
    waits = {name: partial(wait_for, root, frame, act) for name, act in simple.items()}
    return {"the line is dragged, a motion": partial(drag, root, frame), **waits}


def measure(folder: Path, n_candidates: int) -> list[list[str]]:
    """Return a row for each act: name, longest pause, time until shown."""
    from deepconsensus_plugin.viewers.scores.frame import Action, ScoreFrame
    from deepconsensus_plugin.viewers.scores.reading import locate, read_overview

    particles = write_particles(folder, n_candidates)
    root = tk.Tk()
    root.geometry("1325x676")
    source = locate(particles, folder=folder)
    frame = ScoreFrame(
        root, partial(read_overview, source), actions=[Action("none", str)]
    )
    frame.pack(fill=tk.BOTH, expand=True)
    waits = {"the window opens": [wait_for(root, frame, root.update_idletasks)]}
    for _ in range(_ROUNDS):
        for name, act in acts(root, frame).items():
            waits.setdefault(name, []).append(act())
    rows = []
    for name, all_of_it in waits.items():
        seconds = (median(each) for each in zip(*all_of_it, strict=True))
        rows.append([name, *(f"{each * 1000:.0f}" for each in seconds)])
    root.destroy()
    return rows


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="new")
    parser.add_argument("--candidates", type=int, default=500_000)
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    prepare_environment(folder.parent / "home")
    with virtual_screen() as display:
        os.environ["DISPLAY"] = display
        rows = measure(folder, arguments.candidates)
    print(describe_machine())
    header = [
        f"{arguments.candidates:,} candidates",
        "pause, ms",
        "computing, ms",
        "shown, ms",
    ]
    print(markdown_table(header, rows))


if __name__ == "__main__":
    main()
