# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols from picks to candidates, negatives and a comparison with the truth."""
