# SPDX-License-Identifier: GPL-3.0-or-later
"""Dialog in Tk in which a value of a form is chosen."""

from __future__ import annotations

import math
import tkinter as tk
from collections.abc import Callable

from pyworkflow.gui.dialog import RESULT_CANCEL, RESULT_YES, Dialog

from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.pane import BACKGROUND

_PAD = 6


class ValueFrame(tk.Frame):
    """A line with a number to type and what it means, above whatever shows it.

    Subclasses add what is below, and say what a number means.

    Parameters
    ----------
    parent : tk.Misc
        Parent widget.
    label, unit : str
        Before and behind the number.
    hint : str
        Hint on the use of the mouse.
    """

    def __init__(self, parent: tk.Misc, *, label: str, unit: str, hint: str):
        super().__init__(parent, bg=BACKGROUND)
        self.background = Background(self, self._tell_error)
        self._bar = tk.Frame(self, bg=BACKGROUND)
        self._bar.pack(fill=tk.X, pady=_PAD)
        tk.Label(self._bar, text=f"{label}:", bg=BACKGROUND).pack(
            side=tk.LEFT, padx=_PAD
        )
        self.entry = tk.Entry(self._bar, width=7, justify=tk.RIGHT)
        self.entry.pack(side=tk.LEFT)
        tk.Label(self._bar, text=unit, bg=BACKGROUND).pack(side=tk.LEFT, padx=2)
        self._meaning = tk.Label(self._bar, bg=BACKGROUND, anchor=tk.W)
        self._meaning.pack(side=tk.LEFT, padx=2 * _PAD)
        self._hint = tk.Label(
            self, text=hint, bg=BACKGROUND, anchor=tk.W, justify=tk.LEFT
        )
        self._hint.pack(side=tk.BOTTOM, fill=tk.X, padx=_PAD, pady=_PAD)
        for event in ("<Return>", "<KP_Enter>", "<FocusOut>"):
            self.entry.bind(event, lambda _: self.read_entry())
        self.bind("<Destroy>", self._close)

    # -------------------------- for subclasses --------------------------
    def parse(self, typed: str) -> float:
        """Return the value that was typed.

        Raises
        ------
        ValueError
            If there is none; says what was expected.
        """
        try:
            value = float(typed)
        except ValueError:
            value = math.nan
        if not value > 0 or math.isinf(value):
            raise ValueError(f"Expected a number above 0, received '{typed}'.")
        return value

    def set_value(self, value: float) -> None:
        """Show what a value means."""
        raise NotImplementedError

    # -------------------------- what is shared --------------------------
    @property
    def is_settled(self) -> bool:
        """Whether all that was asked for is shown."""
        return not self.background.is_busy

    def show_value(self, value: float, meaning: str) -> None:
        """Write a value and what it means into the line."""
        self.entry.delete(0, tk.END)
        self.entry.insert(0, f"{value:g}")
        self._meaning.configure(text=meaning)

    def show_hint(self, hint: str) -> None:
        """Write another hint below."""
        self._hint.configure(text=hint)

    def read_entry(self) -> float | None:
        """Return the value that was typed, and show it; None if it is none."""
        try:
            value = self.parse(self.entry.get().strip())
        except ValueError as error:
            self._meaning.configure(text=str(error))
            return None
        self.set_value(value)
        return value

    def _tell_error(self, error: BaseException) -> None:
        self._meaning.configure(text=f"{type(error).__name__}: {error}")

    def _close(self, event: tk.Event) -> None:
        if event.widget is self:
            self.background.close()


class ValueDialog(Dialog):
    """A frame with two buttons: take the value over, or leave the form as it was.

    Parameters
    ----------
    parent : tk.Misc
        Window of the form.
    title : str
        Title of the window.
    make_frame : callable
        Makes what the value is chosen in.
    accept : callable
        Is given the value that is taken over.
    """

    def __init__(
        self,
        parent: tk.Misc,
        title: str,
        make_frame: Callable[[tk.Misc], ValueFrame],
        accept: Callable[[float], None],
    ):
        self._make_frame, self._accept = make_frame, accept
        use = "Use this value"
        super().__init__(
            parent,
            title,
            buttons=[(use, RESULT_YES), ("Cancel", RESULT_CANCEL)],
            default=use,
            position=(20, 20),
        )

    def body(self, master: tk.Misc) -> None:
        """Put the frame into the window."""
        self.frame = self._make_frame(master)
        self.frame.pack(fill=tk.BOTH, expand=True)
        self.initial_focus = self.frame.entry

    def validate(self) -> bool:
        """Return whether a value was typed; the frame says what is wrong with it."""
        return self.frame.read_entry() is not None

    def apply(self) -> None:
        """Take the value over."""
        self._accept(self.frame.parse(self.frame.entry.get().strip()))
