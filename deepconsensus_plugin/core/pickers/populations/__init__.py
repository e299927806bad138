# SPDX-License-Identifier: GPL-3.0-or-later
"""Mixtures of scores: particles and background told apart."""
