# SPDX-License-Identifier: GPL-3.0-or-later
"""Files in and out: micrographs, picks in the formats of the field, tables."""
