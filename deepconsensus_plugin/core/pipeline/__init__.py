# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipeline of jobs: each turns one request into one result."""
