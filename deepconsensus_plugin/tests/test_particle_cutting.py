# SPDX-License-Identifier: GPL-3.0-or-later
"""Particles that a selection cuts out are those that scoring would have written."""

from __future__ import annotations

import shutil
from pathlib import Path

import mrcfile
import numpy as np
from pwem.objects import SetOfParticles
from pwem.protocols import ProtParticles

from deepconsensus_plugin.core.io.stacks import open_stack
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusScore,
    ProtDeepConsensusSelect,
)
from deepconsensus_plugin.set_columns import read_scores
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
    store_ctfs,
    store_model,
    write_untrained_model,
)
from deepconsensus_plugin.tests.synthetic import BOX, SyntheticProject

HALF = BOX // 2


class TestCutting(SyntheticProject):
    """Coordinates on three micrographs, one without a CTF; two lie at the edge."""

    names = ("mic_1.mrc", "mic_2.mrc", "mic_3.mrc")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        edge = [(HALF - 1, 200), (HALF, 200)]
        places = {name: yx[:6] for name, yx in cls.truth.items()}
        places[cls.names[1]] = np.concatenate([places[cls.names[1]], edge])
        model = write_untrained_model(cls.data / "model", phase_flip=True)
        cls.inputs = {
            "inputCoordinates": store_coordinates(cls, places),
            "inputModel": store_model(cls, model),
            "ctfRelations": store_ctfs(cls, cls.names[:2]),
        }

    def launch(self, kind: type[ProtParticles], **options) -> ProtParticles:
        protocol = new_protocol(type(self), kind, **options)
        self.assertEqual(protocol.validate(), [])
        return self.launchProtocol(protocol)

    def test_what_is_kept_is_cut_as_scoring_does_it(self):
        everything = self.launch(
            ProtDeepConsensusScore, writeStacks=True, **self.inputs
        )
        scored = self.launch(ProtDeepConsensusScore, halfSize=True, **self.inputs)
        self.assertFalse(scored.hasAttribute("outputParticles"))
        self.assertFalse(stacks_of(scored))
        threshold = float(np.median(read_scores(scored.outputCoordinates)))
        choice = {"threshold": threshold, "overBorder": True}
        plain, mine = (
            self.launch(ProtDeepConsensusSelect, **choice, **{f"input{kind}": source})
            for kind, source in (
                ("Particles", output(everything, "outputParticles")),
                ("Coordinates", output(scored, "outputCoordinates")),
            )
        )
        again = self.launch(
            ProtDeepConsensusSelect,
            inputCoordinates=output(mine, "outputCoordinates"),
            **choice,
        )
        self.assertFalse(mine.hasAttribute("outputParticlesRejected"))
        for name in ("outputCoordinates", "outputCoordinatesRejected"):
            self.assertEqual(*(rows_of(getattr(each, name)) for each in (mine, plain)))
        for found in (mine, again):
            self._check(found, plain)
        sizes = [
            sum(path.stat().st_size for path in stacks_of(each))
            for each in (mine, everything)
        ]
        self.assertLess(sizes[0], 0.4 * sizes[1])

    def _check(self, found: ProtParticles, plain: ProtParticles):
        one, other = found.outputParticles, plain.outputParticles
        self.assertGreater(len(one), 3)
        self.assertEqual(rows_of(one), rows_of(other))
        self.assertEqual(one.getDim(), other.getDim())
        self.assertTrue(one.hasCTF() and one.isPhaseFlipped())
        self.assertEqual(one.getSamplingRate(), other.getSamplingRate())
        linked = one.getCoordinates().getFileName()
        self.assertEqual(linked, found.outputCoordinates.getFileName())
        for mine, theirs in zip(pictures_of(one), pictures_of(other), strict=True):
            self.assertEqual((mine.dtype, theirs.dtype), (np.float16, np.float32))
            np.testing.assert_allclose(mine, theirs, atol=0.01)

    def test_where_nothing_tells_how_to_cut_there_are_coordinates(self):
        scored = self.launch(ProtDeepConsensusScore, **self.inputs)
        source = {"inputCoordinates": output(scored, "outputCoordinates")}
        quick = self.launch(ProtDeepConsensusSelect, writeStacks=False, **source)
        self.assertFalse(quick.hasAttribute("outputParticles"))
        self.assertFalse(stacks_of(quick))
        moved = self.data / "moved"
        shutil.move(self.data / "micrographs", moved)
        try:
            selection = new_protocol(type(self), ProtDeepConsensusSelect, **source)
            self.assertIn("there is no micrograph", " ".join(selection.validate()))
            selection.writeStacks.set(False)
            self.assertEqual(selection.validate(), [])
        finally:
            shutil.move(moved, self.data / "micrographs")


def rows_of(items) -> list[dict[str, object]]:
    """Return all that the items of a set hold but where their images are."""
    return [
        {k: v for k, v in item.getObjDict().items() if k not in ("_filename", "_index")}
        for item in items.iterItems()
    ]


def stacks_of(protocol: ProtParticles) -> list[Path]:
    return [*Path(protocol._getExtraPath("particles")).glob("*.mrcs")]


def pictures_of(particles: SetOfParticles) -> list[np.ndarray]:
    """Return the images of all particles, in the order of their ids."""
    found = []
    for particle in particles.iterItems():
        index, path = particle.getLocation()
        with mrcfile.mmap(path) as stack:
            found.append(np.array(stack.data[index - 1]))
        rows = slice((index - 1) * BOX, index * BOX)
        np.testing.assert_array_equal(open_stack(path)[rows], found[-1])
    return found
