# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks of a person: which candidates are particles, and which to look at next.

`mark`      one mark, and the entry that takes the last one back
`log`       the file that marks are appended to as they are made
`matching`  marks as labels of candidates
`ordering`  lists in which candidates are looked at
`sample`    random marks as a share of particles with its interval
"""
