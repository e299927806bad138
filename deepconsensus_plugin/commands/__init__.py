# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line, one module per command.

Each offers ``HELP``, ``add_arguments(parser)`` and ``run(arguments)``, which returns
the exit status.
"""
