# SPDX-License-Identifier: GPL-3.0-or-later
"""Check of the GUI: every form and viewer opens in Scipion's project window."""
