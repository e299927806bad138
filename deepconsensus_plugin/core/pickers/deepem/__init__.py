# SPDX-License-Identifier: GPL-3.0-or-later
"""DeepEM: a picker that slides a window over the micrograph (Zhu et al. 2017)."""
