# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole pieces of work: one request in, one result out."""
