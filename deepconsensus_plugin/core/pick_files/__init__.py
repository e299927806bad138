# SPDX-License-Identifier: GPL-3.0-or-later
"""Pick files: coordinates in other programs' formats, read and written."""
