# SPDX-License-Identifier: GPL-3.0-or-later
"""Walk through Scipion's project window: every form, every tab, every viewer.

Run as a process of its own by the check, since Scipion's project window needs
``python -O``: ``python -O -m tools.gui_check.walk PROJECT FOLDER``.
"""

from __future__ import annotations

import logging
import sys
import time
import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from tkinter import ttk
from types import SimpleNamespace

from pwem import Domain
from pyworkflow.gui.project import ProjectWindow  # forms cannot be imported before it
from pyworkflow.protocol import Protocol
from pyworkflow.utils import Message
from pyworkflow.viewer import DESKTOP_TKINTER

from deepconsensus_plugin import viewers as own_viewers
from tools.gui_check.averages_window import averages_frame, use_averages_window
from tools.gui_check.blank import find_blank
from tools.gui_check.cut_off import find_cut_off
from tools.gui_check.report import Report
from tools.gui_check.score_window import score_frame, use_score_window
from tools.gui_check.tabs_window import plots_frame, use_plots_window
from tools.gui_check.tree import check_tree, items_below
from tools.gui_check.windows import all_opened, descendants, opened, unattended
from tools.gui_check.wizard_windows import press_wands

_PACKAGE = "deepconsensus_plugin"
_ADVANCED = "Advanced"  # Scipion's second expert level


_BOX_LETTERS = 40
"""What Scipion shows of a run's name in its box."""

_SCIPIONS_HELP = "This value allows to group several items"
"""On streaming; longer than the window that Scipion gives it."""
_WORK_SECONDS = 180.0


class _ErrorRecords(logging.Handler):
    """Handler that keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(f"{record.name}: {record.getMessage()}")


def walk(project: Path, report: Report) -> None:
    """Open all windows of the finished `project`, and note them in `report`."""
    log = _ErrorRecords()
    with unattended() as raised:
        window = ProjectWindow(str(project))
        logging.getLogger().addHandler(log)
        window.show()
        _check_that_cut_text_is_found(window.root, report)
        for step in (_walk_project, _walk_new_forms, _walk_runs, _walk_viewers):
            with report.noting_errors(step.__name__):
                step(window, report)
    report.add("log", log.messages)
    report.add("window", [f"{type(error).__name__}: {error}" for error in raised])


def _check_that_cut_text_is_found(root: tk.Misc, report: Report) -> None:
    """Open a window that is too narrow for its text; it must be reported."""
    window = tk.Toplevel(root)
    tk.Label(window, text="a label that is too long").grid()
    window.geometry("40x40")
    window.update()
    if len(find_cut_off(window)) != 1:
        report.add("the check itself", ["a label that is cut off is not found"])
    window.destroy()


# -------------------------- what is opened --------------------------
def _walk_project(window: ProjectWindow, report: Report) -> None:
    """See that every protocol is in the tree, and one run of each in the project."""
    tree = window.getViewWidget().protTree
    wanted = set(_own_protocols())
    for what, found in (
        ("missing in the tree of protocols", set(_own_items(tree))),
        (
            "not run by tools/gui_check/scene.py",
            {run.getClassName() for run in _own_runs(window)},
        ),
    ):
        report.add(what, sorted(wanted - found))
    report.shoot(window.root, "project")
    check_tree(window.root, tree, report)
    report.add("names in the boxes of runs", _long_names(window))


def _long_names(window: ProjectWindow) -> list[str]:
    """Return a sentence for each name of a run that its box would cut."""
    names = [run.getRunName() for run in window.project.getRuns()]
    return [f"'{n}' is cut" for n in names if len(n) > _BOX_LETTERS] + [
        f"{names.count(name)} runs are called '{name}'"
        for name in sorted({name for name in names if names.count(name) > 1})
    ]


def _walk_new_forms(window: ProjectWindow, report: Report) -> None:
    """Open the form of each protocol as a double click in the tree does."""
    view = window.getViewWidget()
    for name, item in _own_items(view.protTree).items():

        def click(item: str = item) -> None:
            view.protTree.selection_set(item)
            view._protocolItemClick(SimpleNamespace(widget=view.protTree))

        with report.noting_errors(name), opened(window.root, click) as form:
            _shoot_tabs(form, f"new_{name}", report)
            _read_helps(form, f"new_{name}", report)


def _walk_runs(window: ProjectWindow, report: Report) -> None:
    """Select a finished run of each protocol, then open its form."""
    view = window.getViewWidget()
    for run in _own_runs(window):

        def edit(run: Protocol = run) -> None:
            view._editProtocol(run)

        name = f"run_{run.getClassName()}"
        with report.noting_errors(name):
            view._selectNode(view.runsGraph.getNode(run.strId()))
            report.shoot(window.root, name)
            with opened(window.root, edit) as form:
                _shoot_tabs(form, f"{name}_form", report)
                press_wands(form, _notebook(form), run, name, report)


def _walk_viewers(window: ProjectWindow, report: Report) -> None:
    """Open the viewers of each run, as *Analyze results* does."""
    shown = set()
    for run in _own_runs(window):
        for kind in Domain.findViewers(run, DESKTOP_TKINTER):
            shown.add(kind.__name__)
            name = f"{kind.__name__}_of_{run.getClassName()}"
            with report.noting_errors(name):
                viewer = kind(project=window.project, protocol=run, parent=window)
                _shoot_views(
                    window, lambda v=viewer, r=run: v.visualize(r), name, report
                )
        shown |= _walk_viewers_of_outputs(run, window, report)
    missing = set(own_viewers.__all__) - shown
    report.add("viewers", [f"{name} was never shown" for name in sorted(missing)])


def _walk_viewers_of_outputs(
    run: Protocol, window: ProjectWindow, report: Report
) -> set[str]:
    """Open our viewers of the outputs of a run; return their names."""
    shown: set[str] = set()
    for output, items in run.iterOutputAttributes():
        for kind in Domain.findViewers(items, DESKTOP_TKINTER):
            if kind.__name__ in own_viewers.__all__ and kind.__name__ not in shown:
                shown.add(kind.__name__)
                name = f"{kind.__name__}_of_{output}"
                with report.noting_errors(name):
                    viewer = kind(project=window.project, protocol=run, parent=window)
                    _shoot_views(
                        window, lambda v=viewer, i=items: v.visualize(i), name, report
                    )
    return shown


# -------------------------- what is looked at --------------------------
def _shoot_tabs(form: tk.Toplevel, name: str, report: Report) -> None:
    """Save each tab of a form, and again with what is advanced."""
    _shoot_each_tab(form, name, report)
    for button in descendants(form):
        if isinstance(button, tk.Radiobutton) and button.cget("text") == _ADVANCED:
            button.invoke()
            _shoot_each_tab(form, f"{name}_advanced", report)


def _shoot_each_tab(form: tk.Toplevel, name: str, report: Report) -> None:
    _give_room(form)
    notebook = _notebook(form)
    for tab in notebook.tabs():
        notebook.select(tab)
        title = notebook.tab(tab, "text").lower().replace(" ", "_")
        report.shoot(form, f"{name}_{title}")
        faults = find_cut_off(form) + find_blank(form.nametowidget(tab))
        report.add(f"{name}_{title}", faults)


def _read_helps(form: tk.Toplevel, name: str, report: Report) -> None:
    """Press every help button of a form; all of the text must show."""
    for tab in _notebook(form).tabs():
        _notebook(form).select(tab)
        form.update()
        for button in descendants(form.nametowidget(tab)):
            if (
                isinstance(button, tk.Button)
                and button.cget("text") == Message.LABEL_BUTTON_HELP
                and button.winfo_viewable()
            ):
                with opened(form, button.invoke) as help_window:
                    faults = find_cut_off(help_window)
                own = [fault for fault in faults if _SCIPIONS_HELP not in fault]
                report.add(f"{name}_help", own)


def _notebook(form: tk.Toplevel) -> ttk.Notebook:
    """Return the tabs of a form."""
    (notebook,) = (w for w in descendants(form) if isinstance(w, ttk.Notebook))
    return notebook


def _give_room(form: tk.Toplevel) -> None:
    """Move a form to the corner of the screen, as large as it asks to be.

    Scipion centres it below the window it takes the project's for, and lets those who
    want to see what is advanced scroll.
    """
    form.update()
    form.geometry(f"{form.winfo_reqwidth()}x{form.winfo_reqheight()}+0+0")
    form.update()


def _shoot_views(
    window: ProjectWindow, action: Callable[[], None], name: str, report: Report
) -> None:
    """Save the windows that `action` opens, and use them; it must open one."""
    with all_opened(window.root, action) as shown:
        for each in shown:
            if score_frame(each) is not None:
                use_score_window(each, window.project, name, report)
            elif averages_frame(each) is not None:
                use_averages_window(each, window.project, name, report)
            elif plots_frame(each) is not None:
                use_plots_window(each, name, report)
            else:
                _wait_for_work(each)
                report.shoot(each, name)
                report.add(name, find_cut_off(each))
        if not shown:
            report.add(name, ["it shows nothing"])


def _wait_for_work(message: tk.Toplevel) -> None:
    """Wait until no text says that something is being done."""
    deadline = time.monotonic() + _WORK_SECONDS
    while any(
        isinstance(each, tk.Label) and str(each.cget("text")).endswith("…")
        for each in descendants(message)
    ):
        if time.monotonic() > deadline:
            raise RuntimeError(f"still at work after {_WORK_SECONDS:.0f} s")
        message.update()
        time.sleep(0.05)


# -------------------------- what is there --------------------------
def _own_protocols() -> list[str]:
    """Return the class names of the plugin's protocols, as Scipion found them."""
    found = Domain.getProtocols().items()
    return [name for name, kind in found if kind.__module__.startswith(_PACKAGE)]


def _own_items(tree: ttk.Treeview) -> dict[str, str]:
    """Return the items of the tree that are protocols of the plugin, by class name."""
    own = set(_own_protocols())
    names = ((item.split(".")[-1], item) for item in items_below(tree, ""))
    return {name: item for name, item in names if name in own}


def _own_runs(window: ProjectWindow) -> list[Protocol]:
    """Return one run of each of the plugin's protocols that were run."""
    own = set(_own_protocols())
    runs = {run.getClassName(): run for run in window.project.getRuns()}
    return [run for name, run in runs.items() if name in own]


def main(project: Path, folder: Path) -> int:
    """Walk, print faults, and return how many there are, at most 1."""
    report = Report(folder)
    walk(project, report)
    for fault in report.faults:
        print(fault)
    print(f"{report.n_screenshots} screenshots in {folder}")
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
