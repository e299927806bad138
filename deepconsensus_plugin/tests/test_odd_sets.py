# SPDX-License-Identifier: GPL-3.0-or-later
"""Odd sets in Scipion: one micrograph, seven pickers or one, none and outside picks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deepconsensus_plugin.constants import SCORE_ATTRIBUTE
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusPicks,
    ProtDeepConsensusScore,
)
from deepconsensus_plugin.set_columns import read_numbers
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
    store_model,
    write_untrained_model,
)
from deepconsensus_plugin.tests.synthetic import SHAPE, SyntheticProject, pick

OUTSIDE = np.array([[-30.0, 50.0], [SHAPE[0] + 200.0, SHAPE[1] + 200.0]])


class TestOddSets(SyntheticProject):
    """A project of one micrograph and a model that is given."""

    names = ("mic_1.mrc",)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = store_model(cls, write_untrained_model(Path(cls.data) / "model"))
        cls.exact = cls.importPicks("exact", pick(cls.truth, seed=1)).outputCoordinates

    def score(self, consensus: ProtDeepConsensusPicks) -> ProtDeepConsensusScore:
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusScore,
            inputCoordinates=output(consensus, "outputCoordinatesOR"),
            inputModel=self.model,
            writeStacks=True,
        )
        self.assertEqual(protocol.validate(), [])
        return self.launchProtocol(protocol)

    def consensus(self, sets) -> ProtDeepConsensusPicks:
        protocol = self.newProtocol(ProtDeepConsensusPicks, inputCoordinates=sets)
        self.assertEqual(protocol.validate(), [])
        return self.launchProtocol(protocol)

    def test_seven_pickers_one_without_picks_and_one_with_picks_outside(self):
        (name,) = self.names
        sets = [self.exact]
        for seed in range(4):  # all of one name
            picks = pick(self.truth, seed=seed, jitter_px=1)
            positions = {name: picks[name].yx}
            sets.append(store_coordinates(type(self), positions).get())
        nothing = {name: ScoredCoordinates.from_arrays([])}
        empty = self.importPicks("empty", nothing, boxSize=40)
        sets.append(empty.outputCoordinates)
        far = np.concatenate([self.truth[name], OUTSIDE])
        sets.append(store_coordinates(type(self), {name: far}).get())
        consensus = self.consensus(sets)
        n = len(self.truth[name])
        self.assertEqual(consensus.outputCoordinatesOR.getSize(), n + len(OUTSIDE))
        self.assertEqual(consensus.outputCoordinatesAND.getSize(), n)
        self.assertIn("empty has no picks;", "\n".join(consensus.summary()))
        self._check(self.score(consensus), n + len(OUTSIDE), nParticles=n)

    def test_one_picker_and_a_given_model(self):
        consensus = self.consensus([self.exact])
        self.assertIn("WARNING: there is only one picker", consensus.summary()[-1])
        self._check(self.score(consensus), len(self.truth[self.names[0]]))

    def _check(
        self, scored: ProtDeepConsensusScore, n: int, *, nParticles: int | None = None
    ):
        """Check scores; candidates outside are no particles."""
        counts = (n, n if nParticles is None else nParticles)
        sets = (scored.outputCoordinates, scored.outputParticles)
        for items, wanted in zip(sets, counts, strict=True):
            scores = read_numbers(items, SCORE_ATTRIBUTE)[:, 0]
            self.assertEqual(len(scores), wanted)
            self.assertTrue(((scores >= 0) & (scores <= 1)).all())
