# SPDX-License-Identifier: GPL-3.0-or-later
"""Acceptance of candidates: one rule, its result, and the words for it.

`spacing`       parameters of where a particle may lie
`places`        positions on micrographs, and what the spacing says of them
`placed_scores` scores with what places say of them, at any threshold
`expectation`   expected precision and recall of what is kept
`rule`          threshold and spacing together
`accept`        what a rule accepts
`summary`       its numbers, as sentences and as a file
`table`         its rows as ``scores.csv``
"""
