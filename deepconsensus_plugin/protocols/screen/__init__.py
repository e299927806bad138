# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol with all stages of Deep Consensus on one form, and its streaming."""
