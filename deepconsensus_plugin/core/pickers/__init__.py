# SPDX-License-Identifier: GPL-3.0-or-later
"""Pickers: from a micrograph to scored coordinates."""
