# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows of plots in tabs, each read when it is first looked at."""
