# SPDX-License-Identifier: GPL-3.0-or-later
"""Calibration of votes and scores to the probability of being a particle."""

from deepconsensus_plugin.core.calibration.evidence import Evidence
from deepconsensus_plugin.core.calibration.fusion import Fusion, fuse
from deepconsensus_plugin.core.calibration.latent_trait import LatentTraitModel
from deepconsensus_plugin.core.calibration.parameters import Priors

__all__ = ["Evidence", "Fusion", "LatentTraitModel", "Priors", "fuse"]
