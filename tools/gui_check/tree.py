# SPDX-License-Identifier: GPL-3.0-or-later
"""Tree of protocols, read as a user reads it: every text, in order and distinct."""

from __future__ import annotations

import json
import tkinter as tk
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from tkinter import font as tk_font
from tkinter import ttk

from tools.gui_check.report import Report

_PACKAGE = "deepconsensus_plugin"
_MENU = Path(__file__).parents[2] / _PACKAGE / "protocols.conf"
_SECTION = "Deep consensus"
_INDENT_PX = 20
"""What a level of the tree, and the icon before its text, take each."""


def items_below(tree: ttk.Treeview, parent: str) -> Iterator[str]:
    """Yield the items of a tree below one, in the order in which they show."""
    for item in tree.get_children(parent):
        yield item
        yield from items_below(tree, item)


def check_tree(window: tk.Misc, tree: ttk.Treeview, report: Report) -> None:
    """Open the plugin's part of the tree, and read it against ``protocols.conf``."""
    (section,) = [
        item for item in items_below(tree, "") if tree.item(item, "text") == _SECTION
    ]
    for item in (*_ancestors(tree, section), section, *items_below(tree, section)):
        tree.item(item, open=True)
    *_, last = items_below(tree, section)
    tree.see(section)
    tree.see(last)
    window.update()
    shown = [tree.item(item, "text") for item in items_below(tree, section)]
    wanted = list(_texts_of_the_menu())
    if shown != wanted:
        report.add("tree of protocols", [f"it shows {shown}, the menu has {wanted}"])
    report.add("tree of protocols", _indistinct(tree, section))
    report.shoot(window, "tree")


def _ancestors(tree: ttk.Treeview, item: str) -> list[str]:
    parent = tree.parent(item)
    return [*_ancestors(tree, parent), parent] if parent else []


def _texts_of_the_menu() -> Iterator[str]:
    """Yield what ``protocols.conf`` has below the plugin's section, in its order."""
    conf = RawConfigParser()
    conf.optionxform = str  # type: ignore[assignment, method-assign]
    conf.read(_MENU, encoding="utf8")
    (section,) = [
        each
        for each in _flat(json.loads(conf["PROTOCOLS"]["Protocols SPA"]))
        if each["text"] == _SECTION
    ]
    yield from (each["text"] for each in _flat(section["children"]))


def _flat(items: list[dict]) -> Iterator[dict]:
    for item in items:
        yield item
        yield from _flat(item.get("children", []))


def _indistinct(tree: ttk.Treeview, section: str) -> list[str]:
    """Return a sentence for each item of which too little shows to tell it apart.

    Scipion gives the tree a share of the window, which users widen; on a small screen
    the longest texts are cut.
    """
    measure = tk_font.nametofont("TkDefaultFont", tree).measure
    seen: dict[str, str] = {}
    faults = []
    for item in items_below(tree, section):
        text, box = tree.item(item, "text"), tree.bbox(item, "#0")
        left = (len(_ancestors(tree, item)) + 2) * _INDENT_PX  # an arrow and an icon
        room = tree.winfo_width() - left if box else 0
        fitting = (n for n in range(len(text), 0, -1) if measure(text[:n]) <= room)
        shown = text[: next(fitting, 0)]
        if shown in seen or not shown:
            faults.append(f"'{text}' shows as '{shown}', as does '{seen.get(shown)}'")
        seen[shown] = text
    return faults
