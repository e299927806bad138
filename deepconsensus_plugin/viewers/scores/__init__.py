# SPDX-License-Identifier: GPL-3.0-or-later
"""Window of scores: its data, its drawings and the window itself, bottom up.

=================  ====================================================================
`table`            what is known of the candidates; `reading` takes it from a set
`ranking`          candidates by score, best first
`images`, `tiles`  boxes of particles, read when they are looked at, and small ones
`overview`         all of these, and `core.acceptance` on them: what a window shows
`plots`            histogram and curves, with the line of the threshold
`gallery`          pictures beside each other
`micrograph`       one micrograph with its candidates, by what becomes of them
`frame`            the three side by side in Tk, with buttons
=================  ====================================================================

Only `frame` and its `panes` need a display. Two things keep the window awake: what
moves is drawn over what stays (`viewers.overlay`), and files are read by a thread of
their own (`viewers.background`).
"""
