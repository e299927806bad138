# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment of the jobs: where it is, whether it works, and how it is made.

TensorFlow is larger than Scipion, and wants other versions of what both need. So jobs
run in a Python of their own, which Scipion makes as it makes other plugins' programs
(`create`). Nothing here imports Scipion, Keras or TensorFlow.
"""
