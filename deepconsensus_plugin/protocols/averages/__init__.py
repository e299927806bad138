# SPDX-License-Identifier: GPL-3.0-or-later
"""Node that averages candidates: classes, averages, and what they tell of each."""
