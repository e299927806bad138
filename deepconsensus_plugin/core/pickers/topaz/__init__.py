# SPDX-License-Identifier: GPL-3.0-or-later
"""Topaz: a picker trained from few positives (Bepler et al. 2019)."""
