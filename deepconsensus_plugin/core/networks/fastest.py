# SPDX-License-Identifier: GPL-3.0-or-later
"""Fastest form of each convolution on this machine, measured once and remembered.

What was measured is kept in the user's cache, by processor, threads and version of
TensorFlow. `DEEPCONSENSUS_FORMS` switches it off: ``rule`` takes what is mostly the
fastest, ``plain`` Keras' own layers.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

from deepconsensus_plugin.core.networks.convolution import (
    CPUINFO,
    WIDE,
    Device,
    current_device,
    form_by_rule,
)
from deepconsensus_plugin.core.networks.forms import Convolution, Form, Forms
from deepconsensus_plugin.core.networks.trial import measure_forms
from deepconsensus_plugin.core.serialisation import read_json, write_json

logger = logging.getLogger(__name__)

VARIABLE = "DEEPCONSENSUS_FORMS"
_MEASURED, _BY_RULE, _PLAIN = "measured", "rule", "plain"

_WORTH_IT = 0.9
"""Share of the time of the form of the rule below which another is taken: what is
nearly as fast does not change the form from one trial to the next."""

_CPU_KEYS = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags")


def fastest_forms(convolutions: Sequence[Convolution], *, scoring: bool) -> Forms:
    """Return the form of each convolution that is the fastest on this machine.

    Parameters
    ----------
    convolutions : sequence of Convolution
        All of a network; small kernels are always plain.
    scoring : bool
        Whether only scores are computed, without gradients.

    Raises
    ------
    ValueError
        If the variable `DEEPCONSENSUS_FORMS` is neither empty, ``measured``, ``rule``
        nor ``plain``.
    """
    choice = os.environ.get(VARIABLE) or _MEASURED
    if choice not in (_MEASURED, _BY_RULE, _PLAIN):
        raise ValueError(
            f"{VARIABLE}: expected {_MEASURED}, {_BY_RULE} or {_PLAIN}, "
            f"received {choice}"
        )
    if choice == _PLAIN:
        return (Form.PLAIN,) * len(convolutions)
    device = current_device()
    forms = {
        each: form_by_rule(each, device=device, scoring=scoring)
        for each in convolutions
    }
    if choice == _MEASURED and device is not Device.ACCELERATOR:
        wide = [each for each in forms if each.kernel_size >= WIDE]
        forms |= _measured({each: forms[each] for each in wide}, scoring=scoring)
    return tuple(forms[each] for each in convolutions)


def cache_path() -> Path:
    """Return the file of what was measured."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "deepconsensus" / "convolutions.json"


def _measured(
    by_rule: dict[Convolution, Form], *, scoring: bool
) -> dict[Convolution, Form]:
    """Return the fastest forms, from the cache or from a trial of those not there."""
    names = {each: _name(each, scoring=scoring) for each in by_rule}
    known = _read_cache()
    missing = [each for each in by_rule if names[each] not in known]
    if missing:
        started = time.monotonic()
        for each in missing:
            seconds = measure_forms(each, scoring=scoring)
            known[names[each]] = _best(seconds, by_rule[each])
        logger.info(
            "forms of %d convolutions chosen in %.1f s",
            *(len(missing), time.monotonic() - started),
        )
        _write_cache(known)
    return {each: known[names[each]] for each in by_rule}


def _best(seconds: dict[Form, float], by_rule: Form) -> Form:
    """Return the fastest form if that of the rule is clearly slower."""
    fastest = min(seconds, key=seconds.__getitem__)
    return fastest if seconds[fastest] < _WORTH_IT * seconds[by_rule] else by_rule


def _name(convolution: Convolution, *, scoring: bool) -> str:
    """Return what a convolution on this machine is called in the cache."""
    shape = " ".join(map(str, astuple(convolution)))
    return f"{_machine()} {'scoring' if scoring else 'training'} {shape}"


def _machine() -> str:
    """Return a digest of the processor and versions, short."""
    import tensorflow as tf

    cpuinfo = CPUINFO.read_text() if CPUINFO.exists() else ""
    first, _, _ = cpuinfo.partition("\n\n")
    lines = [line for line in first.splitlines() if line.startswith(_CPU_KEYS)]
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    facts = [*lines, os.cpu_count(), threads, tf.__version__]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _read_cache() -> dict[str, Form]:
    """Return what is in the cache; nothing if it is not there or not readable."""
    known: dict[str, Form] = {}
    with suppress(OSError, ValueError):
        for name, value in read_json(cache_path()).items():
            with suppress(ValueError):
                known[name] = Form(value)
    return known


def _write_cache(known: dict[str, Form]) -> None:
    """Keep what is known; not where the folder cannot be written to."""
    path = cache_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {name: form.value for name, form in known.items()})
    except OSError as error:
        logger.info("%s: the fastest forms are not kept: %s", path, error)
