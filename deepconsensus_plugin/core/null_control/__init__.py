# SPDX-License-Identifier: GPL-3.0-or-later
"""Null control: what a picker finds on micrographs whose phases are randomised."""
