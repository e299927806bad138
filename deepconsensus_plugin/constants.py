# SPDX-License-Identifier: GPL-3.0-or-later
"""Constants that leave this package: Scipion's variables and attributes of items.

Scripts, templates and other plugins hold on to them, so they do not change.
"""

from __future__ import annotations

#: Place of the source and of its issues; setup.py reads it here.
URL = "https://github.com/scipion-em/scipion-em-deepconsensus"

#: Scipion variable: the Python that runs the jobs, if not that of `DEEPCONSENSUS_HOME`.
DEEPCONSENSUS_PYTHON = "DEEPCONSENSUS_PYTHON"
#: Scipion variable: the folder of the jobs' environment, which Scipion makes.
DEEPCONSENSUS_HOME = "DEEPCONSENSUS_HOME"
#: Scipion variable: the user's own library of models.
DEEPCONSENSUS_MODELS = "DEEPCONSENSUS_MODELS"
#: Scipion variable: where micrographs are worked on, where a form does not say.
DEEPCONSENSUS_SCHEDULER = "DEEPCONSENSUS_SCHEDULER"

#: The score, 0 - 1. Xmipp's name for it, so that its tools sort by it.
SCORE_ATTRIBUTE = "_xmipp_zScoreDeepLearning1"
#: How many pickers proposed the candidate.
VOTES_ATTRIBUTE = "_deepConsensusVotes"
#: Their names.
PICKERS_ATTRIBUTE = "_deepConsensusPickers"
#: Standard deviation of the score over the ensemble of networks.
SPREAD_ATTRIBUTE = "_deepConsensusSpread"
#: The score that a picker gave its own pick; of scored candidates of several pickers,
#: their score. RELION's name for it.
PICKER_SCORE_ATTRIBUTE = "_rlnAutopickFigureOfMerit"

#: The names of `PICKERS_ATTRIBUTE` and the lists that go with them are joined by it.
LIST_SEPARATOR = ";"
#: The scores of those pickers, in the same order; an empty field where there is none.
PICKER_SCORES_ATTRIBUTE = "_deepConsensusPickerScores"
#: The pickers that were run on the candidate's micrograph.
OBSERVED_ATTRIBUTE = "_deepConsensusObserved"
#: The mean score of the networks, where another score was derived from it.
NETWORK_SCORE_ATTRIBUTE = "_deepConsensusNetworkScore"
#: The log-odds that the general model gives the candidate.
GENERAL_MODEL_ATTRIBUTE = "_deepConsensusGeneralModel"
#: Number of the average, from 1, that the candidate looks like most; how much its box
#: holds of it, and the same relative to all that the box holds; and the centre of the
#: particle by the average, from the candidate, pixels of its micrograph.
AVERAGE_ATTRIBUTE = "_deepConsensusAverage"
AVERAGE_AMPLITUDE_ATTRIBUTE = "_deepConsensusAverageAmplitude"
AVERAGE_CORRELATION_ATTRIBUTE = "_deepConsensusAverageCorrelation"
AVERAGE_OFFSET_X_ATTRIBUTE = "_deepConsensusAverageOffsetX"
AVERAGE_OFFSET_Y_ATTRIBUTE = "_deepConsensusAverageOffsetY"
#: What the candidate looks like by averages and neighbours: a word of
#: `core.kinds.Kind`; empty where not known.
LOOKS_LIKE_ATTRIBUTE = "_deepConsensusLooksLike"
#: Of an average and its class: resolution by an independent half, Å; no value where
#: there is none.
AVERAGE_RESOLUTION_ATTRIBUTE = "_deepConsensusAverageResolution"
#: Of what a selection gives: why the candidate was rejected, a word of
#: `core.reasons.Reason`; empty where it was accepted.
REASON_ATTRIBUTE = "_deepConsensusReason"
#: How many pickers agree within the consensus radius, and their mean position.
AGREEMENT_ATTRIBUTE = "_deepConsensusAgreement"
AGREED_X_ATTRIBUTE = "_deepConsensusAgreedX"
AGREED_Y_ATTRIBUTE = "_deepConsensusAgreedY"
#: The position before it was rounded to whole pixels.
EXACT_X_ATTRIBUTE = "_deepConsensusX"
EXACT_Y_ATTRIBUTE = "_deepConsensusY"
#: The distance to the nearest unusable area of the micrograph, pixels: negative on it,
#: minus infinity where nothing was recorded, no value where everything is usable.
AREA_DISTANCE_ATTRIBUTE = "_deepConsensusAreaDistance"
#: Of a set: JSON file that records which pickers were run on which micrographs.
OBSERVED_FILE_ATTRIBUTE = "_deepConsensusObservedFile"
#: Where a negative comes from: a value of `core.negatives.hard.NegativeKind`.
NEGATIVE_KIND_ATTRIBUTE = "_deepConsensusNegativeKind"

NO_SELECTION = "No finished selection in {folder} yet. Run `run` to the end first."
"""Error of commands that need one."""
