# SPDX-License-Identifier: GPL-3.0-or-later
"""All forms: no tab is blank, and labels and helps read alike."""

from __future__ import annotations

import re
import tkinter
from collections.abc import Iterator

import pytest
from pwem.protocols import EMProtocol
from pyworkflow.protocol import Protocol, params

from deepconsensus_plugin import protocols
from deepconsensus_plugin.protocols.shared.appearance import LINE_LETTERS, wrapped
from deepconsensus_plugin.protocols.shared.choices import Choices
from deepconsensus_plugin.protocols.shared.contrast import DARK, LABEL, LIGHT
from deepconsensus_plugin.report.forms import convert

ALL = [getattr(protocols, name) for name in protocols.__all__]
_KNOWN = {name for name, _ in EMProtocol().getDefinition().iterParams()}
_CHOSEN = (params.EnumParam, params.BooleanParam)
_TOLD = ("Default: ", "Auto (", "Empty: ")
"""How a help tells what a line means that nobody fills in."""


def _own_sections(protocol: Protocol) -> Iterator[tuple[str, list]]:
    """Yield the label of each section of our own, and what it holds."""
    for section in protocol.getDefinition().iterSections():
        shown = [(n, p) for n, p in section.iterParams() if n not in _KNOWN]
        if section.label.get() not in ("General", "Parallelization"):
            yield section.label.get(), shown


def _lines(shown: list) -> Iterator[tuple[str, params.Param]]:
    """Yield the lines of a section, those inside of groups too."""
    for name, param in shown:
        if isinstance(param, params.Group | params.Line):
            yield from _lines(list(param.iterParams()))
        else:
            yield name, param


def _all_lines(protocol: Protocol) -> Iterator[tuple[str, params.Param]]:
    for _, shown in _own_sections(protocol):
        yield from _lines(shown)


def _parts(protocol: Protocol) -> Iterator[tuple[str, list]]:
    """Yield tabs and groups that show, each with its lines."""
    for label, shown in _own_sections(protocol):
        yield label, list(_lines(shown))
        for _, param in shown:
            if isinstance(param, params.Group) and protocol.evalParamExpertLevel(param):
                yield param.label.get(), list(_lines(list(param.iterParams())))


def _find_blank(protocol: Protocol) -> list[str]:
    """Return tabs and groups of which every line is hidden."""
    return [
        label
        for label, lines in _parts(protocol)
        if not any(
            protocol.evalParamCondition(name) and protocol.evalParamExpertLevel(param)
            for name, param in lines
        )
    ]


def _choose_each(kind: type[Protocol]) -> Iterator[tuple[str, Protocol]]:
    """Yield the form as it opens, and with every choice of every line."""
    yield "as it opens", kind()
    for name, param in _all_lines(kind()):
        if isinstance(param, _CHOSEN):
            isEnum = isinstance(param, params.EnumParam)
            for number in range(len(param.choices) if isEnum else 2):
                protocol = kind()
                protocol.setAttributeValue(name, number)
                yield f"{name} = {number}", protocol


@pytest.mark.parametrize("kind", ALL)
def test_no_tab_and_no_group_is_blank(kind):
    blank = {how: _find_blank(form) for how, form in _choose_each(kind)}
    assert {how: parts for how, parts in blank.items() if parts} == {}


def test_a_blank_tab_is_found():
    class Blank(EMProtocol):
        """Form with a tab for experts alone."""

        _label = "blank"

        def _defineParams(self, form):
            form.addSection("Input")
            form.addParam("shown", params.IntParam, default=1, label="Shown")
            form.addSection("Hidden")
            form.addParam(
                "hidden",
                params.IntParam,
                default=1,
                label="Hidden",
                expertLevel=params.LEVEL_ADVANCED,
            )

    assert _find_blank(Blank()) == ["Hidden"]


@pytest.mark.parametrize("kind", ALL)
def test_labels_are_nouns_and_helps_are_sentences(kind):
    for name, param in _all_lines(kind()):
        label, text = param.label.get(), param.help.get()
        if label in ("min", "max"):  # the two ends of a line
            continue
        assert "?" not in label and label[0].isupper(), name
        assert ", at most" not in label and ", at least" not in label, name
        assert text and re.match(r"[A-Z*]", text) and text.endswith("."), (name, text)
        if not isinstance(param, params.PointerParam | params.RelationParam):
            wantsInput = param.default.get() is None and not any(
                word in text for word in _TOLD
            )
            assert wantsInput or any(word in text for word in _TOLD), (name, text)


@pytest.mark.parametrize("kind", ALL)
def test_the_window_of_a_help_is_wide_enough(kind):
    for name, param in kind().getDefinition().iterAllParams():
        lines = (param.help.get() or "").split("\n")
        assert max(map(len, lines)) <= LINE_LETTERS, name


def test_an_emphasised_name_is_not_broken():
    text = "word " * 14 + "*two words* " + "and more " * 9
    lines = wrapped(f"{text}\nDefault: 1.").split("\n")
    assert lines[-1] == "Default: 1." and len(lines) == 4
    assert any("*two words*" in line for line in lines)
    assert max(map(len, lines)) <= LINE_LETTERS


def _told_by(param: params.Param) -> str:
    """Return all that a line of a form says."""
    choices = param.choices if isinstance(param, params.EnumParam) else ()
    return " ".join([param.label.get(), param.help.get() or "", *choices])


@pytest.mark.parametrize("kind", ALL)
def test_automatic_has_one_word(kind):
    for name, param in _all_lines(kind()):
        assert not re.search(r"\*automatic\*|\bEmpty: (as|that)\b", _told_by(param)), (
            name
        )


# -------------------------- one control for contrast --------------------------
CONTRASTS = [
    (protocols.ProtDeepConsensusTrain, "skipInvert", False),
    (protocols.ProtDeepConsensusScreen, "skipInvert", False),
    (protocols.ProtClassicalPick, "particlesDark", True),
    (protocols.ProtDeepConsensusScore, "doInvert", True),
]


@pytest.mark.parametrize(("kind", "name", "ofDark"), CONTRASTS)
def test_contrast_is_one_control_stored_as_before(kind, name, ofDark):
    protocol = kind()
    param = protocol.getParam(name)
    assert type(param) is params.EnumParam  # Scipion makes its widget by this
    assert param.label.get() == LABEL
    assert param.choices.shown == [DARK, LIGHT]
    assert protocol.getAttributeValue(name) is ofDark  # dark, as it opens
    assert protocol.getEnumText(name) == DARK
    for stored in ("True", "False", True, False, 0, 1):  # projects, templates, the form
        getattr(protocol, name).set(stored)
        isDark = (str(stored) in ("True", "1")) is ofDark
        assert protocol.getEnumText(name) == (DARK if isDark else LIGHT)
        assert protocol.getAttributeValue(name) in (True, False)
        assert param.validate(protocol.getAttributeValue(name)) == []
    for text, value in (("yes", 1), ("no", 0), (DARK, ofDark), (LIGHT, not ofDark)):
        assert convert(name, text, param) == value


def test_contrast_of_a_general_model_has_the_same_words():
    param = protocols.ProtNetworkPick().getParam("contrast")
    assert param.label.get() == LABEL
    assert list(param.choices)[1:] == [DARK, LIGHT]
    assert convert("contrast", "white particles", param) == 2  # an earlier word


# -------------------------- order of choices --------------------------
def test_a_list_shows_its_own_order_while_numbers_stay():
    choices = Choices(["one", "two words", "three"], (2, 0, 1), {"first": 0})
    assert list(choices) == ["one", "two words", "three"]
    assert choices[1] == "two words"
    shown = tkinter.Tcl().splitlist(str(choices))  # as a combo box of Tk reads it
    assert list(shown) == choices.shown == ["three", "one", "two words"]


@pytest.mark.parametrize(
    "kind", [protocols.ProtDeepConsensusSelect, protocols.ProtDeepConsensusScreen]
)
def test_the_automatic_threshold_is_first_and_its_number_is_kept(kind):
    param = kind().getParam("thresholdMode")
    assert param.choices.shown[0] == "Auto (best F1)" == param.choices[2]
    words = ["fixed", "first N", "automatic", "precision"]  # of earlier versions
    assert [convert("thresholdMode", word, param) for word in words] == [0, 1, 2, 3]
    assert [convert("thresholdMode", text, param) for text in param.choices] == [
        *(0, 1, 2, 3),
    ]
