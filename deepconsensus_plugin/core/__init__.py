# SPDX-License-Identifier: GPL-3.0-or-later
"""Deep Consensus as a plain Python library (no Scipion)."""
