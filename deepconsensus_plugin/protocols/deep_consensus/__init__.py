# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols that train the Deep Consensus network, score with it and select."""
