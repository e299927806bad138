# SPDX-License-Identifier: GPL-3.0-or-later
"""Matrix of agreement: the share of each picker's picks that others confirm."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from deepconsensus_plugin.core.consensus.agreement import PairwiseAgreement

_DARK = 0.6
"""Shares above this are written in white."""


def draw_agreement(figure: Figure, agreement: PairwiseAgreement) -> None:
    """Draw what share of each picker's candidates each other picker found too.

    Parameters
    ----------
    figure : Figure
        Empty; gets one plot.
    agreement : PairwiseAgreement
        Agreement of one picker or more.
    """
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    k = len(agreement.pickers)
    off_diagonal = np.ma.masked_where(
        np.eye(k, dtype=bool) | np.isnan(agreement.share), agreement.share
    )
    image = axes.imshow(off_diagonal, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(k, k):
        share, n = agreement.share[row, column], agreement.n_shared[row, column]
        is_dark = row != column and share > _DARK
        axes.text(
            column,
            row,
            f"{n}" if row == column or np.isnan(share) else f"{share:.0%}\n{n}",
            ha="center",
            va="center",
            color="white" if is_dark else "black",
        )
    axes.set_xticks(range(k), agreement.pickers, rotation=30, ha="right")
    axes.set_yticks(range(k), agreement.pickers)
    axes.set_xlabel("… was also found by this picker")
    axes.set_ylabel("Fraction of the candidates of this picker that …")
    axes.set_title("Agreement of the pickers", fontsize="medium")
    figure.colorbar(image, ax=axes, label="Fraction of candidates", shrink=0.8)
