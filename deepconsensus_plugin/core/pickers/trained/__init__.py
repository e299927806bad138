# SPDX-License-Identifier: GPL-3.0-or-later
"""Training, validation and preprocessing that trained pickers share."""
