# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a form that say where a run does its work: threads, or a scheduler."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.execution.places import WorkPlace
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm

PLACE = ParameterForm(WorkPlace)


def defineParallelParams(form: params.Form, *, threads: int) -> None:
    """Add the section of threads, for a protocol that works micrograph by micrograph.

    Parameters
    ----------
    form : Form
        Form of the protocol.
    threads : int
        Their default number.
    """
    form.addParallelSection(threads=threads, mpi=0)
    PLACE.define(form)


def describeBadParallel(protocol: Protocol) -> list[str]:
    """Return what is wrong with where a run is to do its work, a sentence each."""
    sentences = PLACE.describe_bad(protocol)
    if protocol.numberOfThreads.get() < 1:
        sentences.insert(0, "Threads: there must be 1 or more.")
    return sentences
