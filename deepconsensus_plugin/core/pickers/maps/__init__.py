# SPDX-License-Identifier: GPL-3.0-or-later
"""Score maps and their peaks."""
