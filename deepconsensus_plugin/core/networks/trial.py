# SPDX-License-Identifier: GPL-3.0-or-later
"""Short trial of every form of a convolution, on this processor.

Time is that of the processor, of all threads together: other work on the machine does
not change which form is the fastest.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from deepconsensus_plugin.core.networks.convolution import LAYERS
from deepconsensus_plugin.core.networks.forms import Convolution, Form

_TRAINING = (Form.PLAIN, Form.FOURIER, Form.PACKED)
_SCORING = (Form.PLAIN, Form.FOURIER, Form.STRIDED)

_ROUNDS = 3
_MOST_BOXES, _FEWEST_BOXES = 32, 8
_PIXELS = 2**16
"""Pixels of the boxes of a trial, if they are not too many or too few."""

_HOPELESS = 2.0
"""A form that takes so many times as long as another is not timed again."""

Run = Callable[[], object]


def measure_forms(convolution: Convolution, *, scoring: bool) -> dict[Form, float]:
    """Return the processor seconds that each form takes for some boxes; plain first.

    Parameters
    ----------
    convolution : Convolution
        Shape of the convolution.
    scoring : bool
        Whether only the result is computed; else the gradients too.
    """
    forms = _SCORING if scoring else _TRAINING
    runs = {form: _runner(convolution, form, scoring=scoring) for form in forms}
    seconds: dict[Form, float] = {}
    for form, run in runs.items():
        run()  # makes the graph
        seconds[form] = _timed(run)
    for _ in range(_ROUNDS - 1):
        limit = _HOPELESS * min(seconds.values())
        for form, run in runs.items():
            if seconds[form] <= limit:
                seconds[form] = min(seconds[form], _timed(run))
    return seconds


def _timed(run: Run) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


def _runner(convolution: Convolution, form: Form, *, scoring: bool) -> Run:
    """Return a function that computes a layer of this form, compiled."""
    import tensorflow as tf

    layer = LAYERS[form](
        convolution.n_out,
        convolution.kernel_size,
        padding="same",
        kernel_initializer="zeros",  # leaves the seeds of others as they are
    )
    side, n_in = convolution.side, convolution.n_in
    n_boxes = min(max(_PIXELS // side**2, _FEWEST_BOXES), _MOST_BOXES)
    shape = (n_boxes, side, side, n_in)
    boxes = tf.constant(np.random.default_rng(0).random(shape, np.float32))
    layer.build(shape)

    def train() -> object:
        with tf.GradientTape() as tape:
            if n_in > 1:  # the first layer's input needs none
                tape.watch(boxes)
            loss = tf.reduce_sum(tf.square(layer(boxes)))
        towards = [layer.kernel.value, *([boxes] if n_in > 1 else [])]
        return tape.gradient(loss, towards)

    function = tf.function((lambda: layer(boxes)) if scoring else train)
    run: Run = function.get_concrete_function()
    return run
