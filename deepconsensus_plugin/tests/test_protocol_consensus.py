# SPDX-License-Identifier: GPL-3.0-or-later
"""Consensus of picks: sizes, provenance, other binnings, and what is not observed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pyworkflow.object import Pointer

from deepconsensus_plugin.constants import (
    AGREEMENT_ATTRIBUTE,
    OBSERVED_ATTRIBUTE,
    PICKER_SCORES_ATTRIBUTE,
    PICKERS_ATTRIBUTE,
    VOTES_ATTRIBUTE,
)
from deepconsensus_plugin.convert import candidates_from_set, coordinates_from_set
from deepconsensus_plugin.core.io.tables import read_candidates
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import ProtDeepConsensusPicks
from deepconsensus_plugin.protocols.consensus.picker_names import (
    distinctNames,
    pickerNames,
)
from deepconsensus_plugin.tests import synthetic
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE, SHAPE

FALSE_PICK = (15.0, 14.0)
"""Farther than the merge radius from every particle."""

ATTRIBUTES = (VOTES_ATTRIBUTE, AGREEMENT_ATTRIBUTE, PICKERS_ATTRIBUTE)


class TestConsensus(synthetic.SyntheticProject):
    """Picker *a* with a false pick, *b* not run everywhere, and *a* on binned images.

    The third picks have half the size, and the same name as the first.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        binned = cls._importBinned()
        cls.exact = synthetic.pick(cls.truth, seed=1)
        with_false = {
            name: ScoredCoordinates.from_arrays(
                [*picks.yx, FALSE_PICK], [*picks.scores, 0.25]
            )
            for name, picks in cls.exact.items()
        }
        cls.sparse = synthetic.pick(cls.truth, seed=2, recall=0.8, jitter_px=1)
        del cls.sparse[cls.names[-1]]
        halved = {
            name: ScoredCoordinates.from_arrays(picks.yx / 2)
            for name, picks in cls.exact.items()
        }
        cls.inputs = [
            cls.importPicks("a", with_false),
            cls.importPicks("b", cls.sparse),
            cls.importPicks(
                "c", halved, micrographs=binned, boxSize=BOX // 2, pickerName="a"
            ),
        ]

    @classmethod
    def _importBinned(cls):
        folder = cls.data / "binned"
        shape = (SHAPE[0] // 2, SHAPE[1] // 2)
        names = [f"{Path(name).stem}_DW.mrc" for name in cls.names]
        synthetic.write_micrographs(folder, names, n=1, shape=shape)
        return cls.importMicrographs(folder, samplingRate=2 * SAMPLING_RATE)

    def _newConsensus(self, imports, **options) -> ProtDeepConsensusPicks:
        return self.newProtocol(
            ProtDeepConsensusPicks,
            inputCoordinates=[protocol.outputCoordinates for protocol in imports],
            **options,
        )

    def test_sizes_provenance_and_summary(self):
        protocol = self._newConsensus(self.inputs, minPositives=50)
        self.assertEqual(protocol.summary(), ["Not run yet."])
        self.assertEqual(protocol.validate(), [])
        self.launchProtocol(protocol)
        n_sparse = sum(map(len, self.sparse.values()))
        for output, size in (
            (protocol.outputCoordinatesOR, 4 * 25 + 4),
            (protocol.outputCoordinatesAND, n_sparse + 25),  # a pair on the last one
        ):
            self.assertEqual(output.getSize(), size)
            self.assertEqual(output.getBoxSize(), BOX)
            self.assertEqual(output.getMicrographs().getSamplingRate(), SAMPLING_RATE)
        self._check_positions(protocol.outputCoordinatesOR)
        self._check_items(protocol.outputCoordinatesOR)
        self._check_round_trip(protocol)
        self._check_sentences(protocol, n_and=n_sparse + 25)

    def _check_positions(self, output):
        """Check every true particle to be within a pixel, whole and exact."""
        exact = coordinates_from_set(output, micrographs=self.micrographs)
        for name, yx in self.truth.items():
            distances = np.hypot(
                *(exact[name].yx[:, np.newaxis] - yx).transpose(2, 0, 1)
            )
            self.assertLessEqual(distances.min(axis=0).max(), 0.5)
        for positions in synthetic.positions_of(output).values():
            self.assertIn((14, 15), positions)
            self.assertGreater(max(x for x, _ in positions), SHAPE[0])

    def _check_items(self, output):
        by_micrograph = {name: [] for name in self.names}
        for item in output.iterItems():
            by_micrograph[item.getMicName()].append(item.clone())
        false = by_micrograph["mic_1.mrc"][0]  # sorted by y
        self.assertEqual(false.getPosition(), (14, 15))
        values = [getattr(false, attribute).get() for attribute in ATTRIBUTES]
        self.assertEqual(values, [1, 1, "a"])
        self.assertEqual(getattr(false, PICKER_SCORES_ATTRIBUTE).get(), "0.25")
        self.assertEqual(getattr(false, OBSERVED_ATTRIBUTE).get(), "a;a (2);b")
        true = by_micrograph["mic_4.mrc"][1]
        values = [getattr(true, attribute).get() for attribute in ATTRIBUTES]
        self.assertEqual(values, [2, 2, "a;a (2)"])
        self.assertEqual(getattr(true, OBSERVED_ATTRIBUTE).get(), "a;a (2)")
        score, missing = getattr(true, PICKER_SCORES_ATTRIBUTE).get().split(";")
        self.assertIn(float(score), self.exact["mic_4.mrc"].scores)
        self.assertEqual(missing, "")

    def _check_round_trip(self, protocol):
        """Check the attributes of items to hold the whole table."""
        written = read_candidates(protocol._getExtraPath("candidates.h5"))
        read = candidates_from_set(protocol.outputCoordinatesOR)
        self.assertEqual(read.micrographs, written.micrographs)
        self.assertEqual(read.pickers, ("a", "a (2)", "b"))
        self.assertEqual(read.vote_of, written.vote_of)
        self.assertEqual(read.voters, {"a": [0, 1], "b": [2]})
        for field in ("observed", "micrograph_index", "found", "agreement"):
            np.testing.assert_array_equal(getattr(read, field), getattr(written, field))
        for field in ("yx", "picker_scores", "agreed_yx"):
            np.testing.assert_allclose(getattr(read, field), getattr(written, field))
        agreed = candidates_from_set(protocol.outputCoordinatesAND)
        np.testing.assert_allclose(agreed.yx, agreed.agreed_yx)
        self.assertEqual(agreed.agreement.min(), 2)

    def _check_sentences(self, protocol, *, n_and: int):
        summary = "\n".join(protocol.summary())
        self.assertIn(f"{n_and} particles (AND) found by all 3 pickers", summary)
        self.assertIn("104 candidates (OR) on 4 micrographs; found 4 by 1", summary)
        self.assertIn("a: 104 picks, 96% confirmed", summary)
        self.assertIn("not run on 1 micrographs", summary)
        self.assertIn("Box size: 40 px.", summary)
        (warning,) = [line for line in protocol.summary() if "WARNING" in line]
        self.assertIn("a (2) is no independent picker: 100% of its picks are", warning)
        self.assertIn("[SanchezGarcia2018]", protocol._methods()[0])
        self.assertEqual(protocol._citations(), ["SanchezGarcia2018"])

    def test_picks_upside_down_are_named(self):
        mirrored = {
            name: ScoredCoordinates.from_arrays(
                np.column_stack([SHAPE[0] - 1 - picks.yx[:, 0], picks.yx[:, 1]])
            )
            for name, picks in self.exact.items()
        }
        inputs = [self.inputs[0], self.importPicks("mirrored", mirrored)]
        protocol = self._newConsensus(inputs, minPickers=2)
        self.launchProtocol(protocol)
        summary = protocol.summary()
        self.assertIn("WARNING: Picks of mirrored", summary[0])
        self.assertIn("mirrored in y: import them with invertY", summary[0])
        self.assertLess(protocol.outputCoordinatesAND.getSize(), 20)

    def test_picks_near_unwanted_ones_are_left_out(self):
        """One of the first micrograph's particles is gold; it is a bit off."""
        first, second, *_ = self.names
        gold = self.truth[first][:1] + 0.2 * BOX
        unwanted = {
            first: ScoredCoordinates.from_arrays(gold),
            second: ScoredCoordinates.from_arrays([]),
        }
        protocol = self._newConsensus(
            self.inputs,
            minPickers=2,
            subtractCoordinates=self.importPicks("gold", unwanted).outputCoordinates,
        )
        self.launchProtocol(protocol)
        table = candidates_from_set(protocol.outputCoordinatesOR)
        self.assertEqual(len(table), 4 * 25 + 4 - 1)
        self.assertEqual(table.micrographs, tuple(self.names))
        self.assertTrue(table.observed[-1, 0])  # gold was not looked for there
        near = np.hypot(*(table.on_micrograph(first).yx - self.truth[first][0]).T)
        self.assertGreater(near.min(), 0.3 * BOX)
        n_left_out = 2 + (len(self.sparse[first]) - len(self._away(gold[0])))
        self.assertEqual(
            protocol.summary()[-1],
            f"{n_left_out} picks excluded: within 0.3 box sizes of a coordinate of "
            "gold.",
        )

    def _away(self, place):
        yx = self.sparse[self.names[0]].yx
        return yx[np.hypot(*(yx - place).T) > 0.3 * BOX]

    def test_validation_names_the_field(self):
        protocol = self._newConsensus(
            self.inputs, consensusRadius=0.4, minPickers=4, boxSize=0
        )
        fields = [error.split(":")[0] for error in protocol.validate()]
        self.assertEqual(
            fields, ["Box size", "Consensus radius", "Minimum pickers agreeing"]
        )
        protocol = self._newConsensus(self.inputs, boxSize=5000)
        self.assertIn("Box size: 5000 px is larger than", protocol.validate()[0])
        self.assertEqual(protocol._warnings(), [])
        protocol = self._newConsensus(self.inputs[:1])
        self.assertIn("the picks of at least two pickers", protocol._warnings()[0])

    def test_names_do_not_depend_on_the_order_of_sets(self):
        a, b, c = (Pointer(each, extended="outputCoordinates") for each in self.inputs)
        self.assertEqual(pickerNames([a, b, c]), ["a", "b", "a (2)"])
        self.assertEqual(pickerNames([c, b, a]), ["a (2)", "b", "a"])

    def test_gross_findings_are_logged_as_warnings(self):
        protocol, warned, logged = ProtDeepConsensusPicks(), [], []
        protocol.warning, protocol.info = warned.append, logged.append
        protocol._logSentences(
            ["WARNING: mirrored", "Note: shifted", "Box size: 40 px."]
        )
        self.assertEqual(warned, ["WARNING: mirrored"])
        self.assertEqual(logged, ["Note: shifted", "Box size: 40 px."])

    def test_names_are_distinct(self):
        self.assertEqual(
            distinctNames(["a", "b", "a", "a (2)", "a"]),
            ["a", "b", "a (2)", "a (2) (2)", "a (3)"],
        )
