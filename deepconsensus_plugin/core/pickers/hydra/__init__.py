# SPDX-License-Identifier: GPL-3.0-or-later
"""HydraPicker: a detector with a head for each data set (Masoumzadeh Tork 2019)."""
