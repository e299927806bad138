# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, one module a command.

Each offers ``HELP``, ``add_arguments(parser)`` and ``run(arguments)``, which returns
the exit status.
"""
