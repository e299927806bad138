# SPDX-License-Identifier: GPL-3.0-or-later
import numpy as np
import pytest

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv, write_scores_csv
from deepconsensus_plugin.core.kinds import Kind, Likeness
from deepconsensus_plugin.core.pick_files.picks import read_picks
from deepconsensus_plugin.core.reasons import Reason, in_words

NAN = np.nan
CANDIDATES = Candidates(
    micrographs=("a, 1.mrc", "b.mrc"),
    pickers=("cryolo", "topaz", "cassper"),
    observed=np.array([[True, True, True], [False, True, False]]),
    micrograph_index=np.array([0, 0, 1]),
    yx=np.array([[20.5, 10.0], [1 / 3, 2.0], [4.0, 3.0]]),
    found=np.array([[True, False, True], [True, True, False], [False, True, False]]),
    picker_scores=np.array([[0.66, NAN, NAN], [0.5, -7.25, NAN], [NAN, 1.0, NAN]]),
    agreement=np.array([2, 0, 1]),
    agreed_yx=np.zeros((3, 2)),
)
FIGURES = {
    "score": np.array([0.9, 0.1, NAN]),
    "network_score": np.array([0.8, 1e-9, NAN]),
    "spread": np.array([0.0, 0.25, NAN]),
    "reason": np.array([Reason.ACCEPTED, Reason.NEIGHBOUR, Reason.NO_SCORE]),
    "general_model": np.array([-2.5, 1.75, NAN]),
    "likeness": Likeness(
        np.array([1.25, 0.5, NAN]), np.array([Kind.PARTICLE, Kind.UNLIKE, Kind.UNKNOWN])
    ),
}
TEXT = """\
micrograph,x,y,score,network_score,spread,votes,observed,pickers,picker_scores,accepted\
,reason,general_model,average_amplitude,looks_like
"a, 1.mrc",10,20.5,0.9,0.8,0,2,cryolo;topaz;cassper,cryolo;cassper,0.66;,1,,-2.5,\
1.25,particle
"a, 1.mrc",2,0.3333333333333333,0.1,1e-09,0.25,2,cryolo;topaz;cassper,cryolo;topaz,\
0.5;-7.25,0,neighbour,1.75,0.5,noise or dirt
b.mrc,3,4,,,,1,topaz,topaz,1,0,no score,,,
"""
EARLY = """\
micrograph,x,y,score,network_score,spread,votes,observed,pickers,picker_scores,accepted
a.mrc,1,2,0.9,0.9,0,1,topaz,topaz,,1
a.mrc,1,2,0.95,0.95,0,1,topaz,topaz,,0
a.mrc,1,2,0.2,0.2,0,1,topaz,topaz,,0
a.mrc,1,2,,,,1,topaz,topaz,,0
"""


@pytest.fixture
def path(tmp_path):
    write_scores_csv(tmp_path / "scores.csv", CANDIDATES, **FIGURES)
    return tmp_path / "scores.csv"


def test_the_text_by_hand(path):
    assert path.read_bytes().decode() == TEXT


def test_round_trip(path):
    table = read_scores_csv(path)
    assert len(table) == 3
    assert table.micrograph == ("a, 1.mrc", "a, 1.mrc", "b.mrc")
    np.testing.assert_array_equal(table.yx, CANDIDATES.yx)
    for name, values in FIGURES.items():
        if name != "likeness":
            np.testing.assert_array_equal(getattr(table, name), values)
    likeness = FIGURES["likeness"]
    np.testing.assert_array_equal(table.likeness.amplitude, likeness.amplitude)
    np.testing.assert_array_equal(table.likeness.kind, likeness.kind)
    np.testing.assert_array_equal(table.votes, CANDIDATES.votes)
    every = ("cryolo", "topaz", "cassper")
    assert table.observed == (every, every, ("topaz",))
    assert table.pickers == (("cryolo", "cassper"), ("cryolo", "topaz"), ("topaz",))
    np.testing.assert_array_equal(table.picker_scores[0], [0.66, NAN])
    assert table.picker_scores[1:] == ((0.5, -7.25), (1.0,))
    assert table.accepted.tolist() == [True, False, False]


def test_early_tables_have_no_reasons(tmp_path):
    (tmp_path / "scores.csv").write_text(EARLY)
    table = read_scores_csv(tmp_path / "scores.csv")
    assert in_words(table.reason) == ["", "other", "score", "no score"]
    assert table.accepted.tolist() == [True, False, False, False]
    assert np.isnan(table.general_model).all()
    assert np.isnan(table.likeness.amplitude).all() and not table.likeness.kind.any()


def test_tables_of_before_averages_have_no_kinds(path):
    lines = [line.rsplit(",", 2)[0] for line in TEXT.splitlines()]
    path.write_text("\n".join(lines) + "\n")
    table = read_scores_csv(path)
    np.testing.assert_array_equal(table.general_model, FIGURES["general_model"])
    assert np.isnan(table.likeness.amplitude).all() and not table.likeness.kind.any()


def test_it_is_a_merged_table_of_picks_too(path):
    picks = read_picks(path)
    assert list(picks) == ["a, 1.mrc", "b.mrc"]
    np.testing.assert_array_equal(picks["a, 1.mrc"].yx, CANDIDATES.yx[:2])
    np.testing.assert_array_equal(picks["a, 1.mrc"].scores, [0.9, 0.1])


def test_no_candidates_and_a_candidate_that_no_picker_found(tmp_path):
    path = tmp_path / "scores.csv"
    none = {n: values[:0] for n, values in FIGURES.items() if n != "likeness"}
    write_scores_csv(path, CANDIDATES.take(np.zeros(3, bool)), **none)
    table = read_scores_csv(path)
    assert (len(table), table.yx.shape, table.picker_scores) == (0, (0, 2), ())
    path.write_text(TEXT.splitlines()[0] + "\na,1,2,,,,0,p,,,0,score,,,\n")
    table = read_scores_csv(path)
    assert (table.pickers, table.picker_scores) == (((),), ((),))


def test_what_does_not_fit_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"spread: expected shape \(3,\)"):
        write_scores_csv(
            tmp_path / "a.csv", CANDIDATES, **{**FIGURES, "spread": np.zeros(2)}
        )
    with pytest.raises(ValueError, match=r"average_amplitude: expected shape \(3,\)"):
        write_scores_csv(
            *(tmp_path / "a.csv", CANDIDATES),
            **{**FIGURES, "likeness": Likeness.unknown(2)},
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("spread,votes", "votes", "without spread"),
        ("b.mrc,3,4", "b.mrc,3", "line 4"),
        ("b.mrc,3,4", "b.mrc,3,four", "line 4, received .*four"),
        ("topaz,topaz,1,0", "topaz,topaz,1;2,0", "line 4"),
        ("1,0,no score", "1,0,bad luck", "line 4, received .*bad luck"),
        ("noise or dirt", "snow", "line 3, received .*snow"),
        ("0.5,noise", "half,noise", "line 3, received .*half"),
        (",noise or dirt", ",", "line 3"),
        ("1.25,particle", ",particle", "line 2"),
    ],
)
def test_bad_table(tmp_path, old, new, message):
    path = tmp_path / "a.csv"
    path.write_text(TEXT.replace(old, new))
    with pytest.raises(FileFormatError, match=message):
        read_scores_csv(path)
