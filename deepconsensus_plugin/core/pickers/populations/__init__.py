# SPDX-License-Identifier: GPL-3.0-or-later
"""Mixture models that separate the scores of particles from those of background."""
