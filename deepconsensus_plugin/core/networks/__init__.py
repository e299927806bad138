# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks: cards, training states and layers that several methods share."""
