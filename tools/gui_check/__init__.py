# SPDX-License-Identifier: GPL-3.0-or-later
"""Open every form and viewer in Scipion's project window; see that nothing is cut."""
