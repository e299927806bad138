# SPDX-License-Identifier: GPL-3.0-or-later
"""Usable area of micrographs: where particles can be, and what is in the way."""
