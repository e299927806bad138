# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms, checks and summaries that several protocols share."""
