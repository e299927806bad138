# SPDX-License-Identifier: GPL-3.0-or-later
"""Particles in files of other programs: a STAR with its stacks, or one stack."""
