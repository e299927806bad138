# SPDX-License-Identifier: GPL-3.0-or-later
"""Deep Consensus: an ensemble that scores candidates (Sanchez-Garcia et al. 2018)."""
