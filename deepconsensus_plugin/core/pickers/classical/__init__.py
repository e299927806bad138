# SPDX-License-Identifier: GPL-3.0-or-later
"""Classical pickers: from the diameter alone, without training."""
