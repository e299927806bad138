# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the Scipion side; those of the science are in ``core``."""
