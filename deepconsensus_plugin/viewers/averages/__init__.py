# SPDX-License-Identifier: GPL-3.0-or-later
"""Window of averages: its data, its drawing and the window itself, bottom up.

===========  ==========================================================================
`shown`      averages, their members and the marks; what is where
`reading`    takes it from a run
`grid`       averages beside each other, with the marks
`frame`      the grid, and the members of an average on their micrographs, in Tk
===========  ==========================================================================

Only `frame` needs a display.
"""
