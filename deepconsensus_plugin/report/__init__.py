# SPDX-License-Identifier: GPL-3.0-or-later
"""Report of a run: what it came to, its figures and its page."""
