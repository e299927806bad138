# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks, their cards and how both are kept on disk."""
