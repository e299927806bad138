# SPDX-License-Identifier: GPL-3.0-or-later
"""Report of a run: its figures and its page."""
