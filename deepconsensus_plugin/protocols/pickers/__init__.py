# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols that train pickers and pick."""
