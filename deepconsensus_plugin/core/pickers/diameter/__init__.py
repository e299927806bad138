# SPDX-License-Identifier: GPL-3.0-or-later
"""Diameter of particles, estimated from micrographs alone."""
