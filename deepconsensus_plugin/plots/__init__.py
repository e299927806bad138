# SPDX-License-Identifier: GPL-3.0-or-later
"""Plots of results, for viewers and for the report of a run; no display is needed.

A function gets an empty `matplotlib.figure.Figure` and numbers, and draws.
"""
