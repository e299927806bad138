# SPDX-License-Identifier: GPL-3.0-or-later
"""The science of Deep Consensus as a plain Python library (no Scipion)."""
