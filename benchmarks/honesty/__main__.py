# SPDX-License-Identifier: GPL-3.0-or-later
"""Honesty: what deep consensus claims where the data tell little, beside the truth.

    python -m benchmarks.honesty OUT [--cases noise binned …] [--real A weak …]

Each case is run as a user would run it: both classical pickers with the thresholds that
they find, all options at their defaults, one network (three where evidence is ample).
A claim is wrong if the expected precision differs from the true one by more than 0.05;
withholding it is wrong only where evidence is ample. Truth of simulated micrographs:
whole molecules, touching ones included. Real sets, where ``DEEPCONSENSUS_DATA`` is set,
are judged by the experts' marks, which are incomplete. What OUT holds of an earlier run
is not computed again. About 20 minutes on two cores without real sets.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.consensus.classical import pick_all
from benchmarks.honesty.case import Case, Sample
from benchmarks.honesty.cases import CASES
from benchmarks.honesty.claims import Claim, claim_of
from benchmarks.sets.real_sets import MATCH_RADIUS_PX, PICKERS, load_set
from benchmarks.sets.simulated_sets import simulate_set
from benchmarks.sets.tables import markdown_table

SET, SEED, N_MICROGRAPHS = "tetramer-80", 5, 8
HEADER = "case,accepted,expected precision,true,verdict,why nothing is claimed".split(
    ","
)


def make_sample(folder: Path) -> Sample:
    """Return the simulated set that cases are made from, picked."""
    folder.mkdir(parents=True, exist_ok=True)
    simulated = simulate_set(SET, SEED, folder, n_micrographs=N_MICROGRAPHS)
    return Sample(simulated, tuple(pick_all(simulated.whole, folder)), folder)


def real_case(name: str) -> Case:
    """Return a combination of pickers on real micrographs."""
    real = load_set(name)
    pickers = tuple(real.read_pickers())
    label = f"EMPIAR-10017, {name}"
    return Case(
        *(label, real.micrographs, pickers, real.truth, MATCH_RADIUS_PX), is_ample=True
    )


def row(case: Case, claim: Claim) -> list[object]:
    """Return the row of `HEADER`."""
    told = None if claim.precision is None else claim.precision.describe()
    verdict = claim.verdict(is_ample=case.is_ample)
    return [
        *(case.name, claim.n_accepted, told, claim.true_precision, verdict),
        claim.why,
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--real", nargs="*", choices=PICKERS, default=[])
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    rows = []
    sample = make_sample(out / "sample") if arguments.cases else None
    for word in arguments.cases:
        case = CASES[word](sample)
        rows.append(row(case, claim_of(case, out / word)))
        print(*map(str, rows[-1]), sep=" | ", flush=True)
    for name in arguments.real:
        case = real_case(name)
        rows.append(row(case, claim_of(case, out / f"real-{name}")))
        print(*map(str, rows[-1]), sep=" | ", flush=True)
    n_wrong = sum(each[4] != "right" for each in rows)
    print(markdown_table(HEADER, rows), end="\n\n")
    print(f"{n_wrong} of {len(rows)} claims are not right.")


if __name__ == "__main__":
    main()
