# SPDX-License-Identifier: GPL-3.0-or-later
"""Negative picks: how many, where, and the user's own."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.constants import NEGATIVE_KIND_ATTRIBUTE
from deepconsensus_plugin.convert import coordinates_from_set
from deepconsensus_plugin.core.negatives.hard import NegativeKind
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusNegatives,
    ProtDeepConsensusPicks,
)
from deepconsensus_plugin.set_columns import read_numbers
from deepconsensus_plugin.tests import synthetic
from deepconsensus_plugin.tests.synthetic import BOX, SHAPE

OWN = {"mic_2.mrc": ScoredCoordinates.from_arrays([[100, 400], [30, 40]])}


class TestNegatives(synthetic.SyntheticProject):
    """Two pickers; the second was not run on the last micrograph."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        first = synthetic.pick(cls.truth, seed=1, jitter_px=1)
        second = synthetic.pick(cls.truth, seed=2, jitter_px=1)
        del second[cls.names[-1]]
        imports = [cls.importPicks("a", first), cls.importPicks("b", second)]
        cls.consensus = cls.newProtocol(
            ProtDeepConsensusPicks,
            inputCoordinates=[protocol.outputCoordinates for protocol in imports],
        )
        cls.launchProtocol(cls.consensus)

    def _draw(self, **options) -> ProtDeepConsensusNegatives:
        protocol = self.newProtocol(
            ProtDeepConsensusNegatives,
            inputCoordinates=self.consensus.outputCoordinatesOR,
            **options,
        )
        self.assertEqual(protocol.validate(), [])
        self.assertEqual(protocol.summary(), ["Not run yet."])
        self.launchProtocol(protocol)
        return protocol

    def test_without_mining_only_the_worst_agreed_are_not_random(self):
        protocol = self._draw(
            inputPositives=self.consensus.outputCoordinatesAND,
            negativesPerPositive=2,
        )
        output = protocol.outputCoordinatesNEG
        n_positives = 3 * 25  # nobody can agree on the last micrograph
        self.assertEqual(self.consensus.outputCoordinatesAND.getSize(), n_positives)
        self.assertEqual(output.getSize(), 2 * n_positives)
        self.assertEqual(output.getBoxSize(), BOX)
        self._check_places(output)
        kinds = read_numbers(output, NEGATIVE_KIND_ATTRIBUTE)[:, 0]
        self.assertEqual((kinds == NegativeKind.SORTED_OUT.value).sum(), 1)  # of 75
        displaced = int((kinds == NegativeKind.DISPLACED.value).sum())
        self.assertGreater(displaced, 20)  # not every particle has room
        self.assertLessEqual(displaced, 75)  # one each
        summary = protocol.summary()
        self.assertIn("150 negatives on the 3 micrographs", summary[0])
        self.assertEqual(summary[1], f"{149 - displaced} at random.")
        self.assertEqual(summary[2], f"{displaced} off-centre of agreed particles.")
        self.assertIn("150 coordinates of background", protocol._methods()[0])
        self.assertIn("SanchezGarcia2018", protocol._citations())

    def _check_places(self, output):
        """Check random ones: far from candidates, inside, not where b was not run."""
        negatives = coordinates_from_set(output, micrographs=self.micrographs)
        random = NegativeKind.RANDOM.value
        kinds = read_numbers(output, NEGATIVE_KIND_ATTRIBUTE)[:, 0]
        ends = np.cumsum([len(found) for found in negatives.values()])
        parts = np.split(kinds == random, ends[:-1])
        for name, chosen in zip(list(negatives), parts, strict=True):
            negatives[name] = negatives[name].take(chosen)
        self.assertEqual(
            {name for name, found in negatives.items() if len(found)},
            set(self.names[:-1]),
        )
        candidates = coordinates_from_set(
            self.consensus.outputCoordinatesOR, micrographs=self.micrographs
        )
        for name in self.names[:-1]:
            yx = negatives[name].yx
            distances = yx[:, np.newaxis] - candidates[name].yx
            self.assertGreater(np.hypot(*distances.transpose(2, 0, 1)).min(), BOX / 2)
            self.assertGreaterEqual(yx.min(), BOX / 2)
            self.assertLessEqual((yx - SHAPE).max(), -BOX / 2)
        x = np.concatenate([found.yx[:, 1] for found in negatives.values()])
        self.assertGreater((x > SHAPE[0]).mean(), 0.15)  # the right quarter is used

    def test_own_negatives_replace_the_sorted_out(self):
        own = self.importPicks("ice", OWN)
        protocol = self._draw(
            extraNegatives=own.outputCoordinates, mineHardNegatives=True
        )
        output = protocol.outputCoordinatesNEG
        kinds = read_numbers(output, NEGATIVE_KIND_ATTRIBUTE)[:, 0]
        counts = {kind: int((kinds == kind.value).sum()) for kind in NegativeKind}
        self.assertEqual(counts[NegativeKind.USER], 2)
        self.assertEqual(counts[NegativeKind.SORTED_OUT], 0)
        self.assertGreaterEqual(
            counts[NegativeKind.RANDOM] + counts[NegativeKind.DISPLACED], 60
        )  # 4 of 5 of 75
        self.assertLessEqual(len(kinds), 75 + 2)
        self.assertGreaterEqual(len(kinds), 75 + 2 - 1)  # 1 % of 75 was sorted out
        positions = synthetic.positions_of(output)["mic_2.mrc"]
        self.assertEqual(positions[-2:], [(400, 100), (40, 30)])
        self.assertIn("2 of your own.", protocol.summary())
        self.assertEqual(protocol._citations(), ["SanchezGarcia2018", "Vargas2013"])

    def test_validation_names_the_field(self):
        protocol = self.newProtocol(
            ProtDeepConsensusNegatives,
            inputCoordinates=self.consensus.outputCoordinatesOR,
            negativesPerPositive=0,
            exclusionRadius=-1,
            seed=-1,
        )
        fields = [error.split(":")[0] for error in protocol.validate()]
        self.assertEqual(
            fields, ["Negatives per positive", "Exclusion radius", "Random seed"]
        )
