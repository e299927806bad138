# SPDX-License-Identifier: GPL-3.0-or-later
"""Aligned averages of boxes, without labels or references, and what they tell."""
