# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: picks of one picker, from the files that it wrote."""

from __future__ import annotations

from pathlib import Path

import pyworkflow.protocol.params as params
from pwem.objects import SetOfCoordinates
from pwem.protocols import ProtParticlePicking

from deepconsensus_plugin.constants import LIST_SEPARATOR
from deepconsensus_plugin.convert import (
    micrographs_from_set,
    read_observed,
)
from deepconsensus_plugin.core.pick_files.folders import read_picks_folder
from deepconsensus_plugin.core.pick_files.layouts import find_pick_files
from deepconsensus_plugin.core.pick_files.picks import PickFormat
from deepconsensus_plugin.core.pick_files.placing import ReadOptions
from deepconsensus_plugin.core.types import PickerPicks
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.picks_output import createPicksSet

_FORMATS = PickFormat.by_number()

FILE_FORMATS = {0: None, **{kind.number: kind for kind in _FORMATS}}
"""Formats by the number of `fileFormat`, which never changes. None: automatic."""

FORMAT_LABELS = ("automatic", *(kind.label for kind in _FORMATS))
"""Labels of the formats on the form, in the order of their numbers."""

_WITH_CORNERS = [kind.label for kind in _FORMATS if kind.codec.holds_corners]
_WITH_BOX_SIZE = [kind.label for kind in _FORMATS if kind.codec.records_box_size]


class ProtImportPicks(ProtParticlePicking):
    """Import the picks of one picker from a folder of its files.

    Micrographs and files are matched by name; prefixes and suffixes that programs add
    are tolerated. A micrograph without a file counts as *not run by this picker*, one
    with an empty file as *run, and nothing found*: the consensus tells them apart.
    """

    _label = "import picks"
    _possibleOutputs = {"outputCoordinates": SetOfCoordinates}

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        self._defineFileParams(form)
        self._defineGeometryParams(form)

    def _defineFileParams(self, form):
        form.addParam(
            "inputMicrographs",
            params.PointerParam,
            pointerClass="SetOfMicrographs",
            important=True,
            label="Micrographs",
            help="The micrographs that the picks lie on. Picks of others are left out.",
        )
        form.addParam(
            "filesPath",
            params.PathParam,
            important=True,
            label="Folder",
            help="Folder with the picker's files, or one file that holds the picks of "
            "all micrographs (Topaz, cryoSPARC *.cs*, merged *.star* or *.csv*).",
        )
        form.addParam(
            "filesPattern",
            params.StringParam,
            default="*",
            label="Pattern",
            help="Which files of the folder, for example *\\*.box*; *\\*\\** descends "
            "into subfolders.",
        )
        form.addParam(
            "fileFormat",
            params.EnumParam,
            choices=list(FORMAT_LABELS),
            default=0,
            label="Format",
            help="*automatic*: each file tells by its name and content.\n"
            f"Positions in {' and '.join(_WITH_CORNERS)} files are corners of boxes, "
            "in all others centres.",
        )
        form.addParam(
            "pickerName",
            params.StringParam,
            allowsNull=True,
            label="Name of the picker",
            help="How results call it. Empty: the name of the folder.",
        )
        form.addParam(
            "minScore",
            params.FloatParam,
            allowsNull=True,
            label="Minimum score",
            help="Picks with a lower score are left out; those without one stay. "
            "*.cbox* files and Topaz' tables hold picks below their program's "
            "threshold too. Empty: all picks.",
        )

    def _defineGeometryParams(self, form):
        group = form.addGroup("Geometry")
        group.addParam(
            "boxSize",
            params.IntParam,
            allowsNull=True,
            label="Box size (px)",
            help="Pixels of the micrographs. Empty: as the files record it "
            f"({', '.join(_WITH_BOX_SIZE)}; others do not).",
        )
        group.addParam(
            "scale",
            params.FloatParam,
            default=1.0,
            label="Scale factor",
            help="Positions in the files are multiplied by it. 2 for picks made on "
            "micrographs binned by 2.",
        )
        group.addParam(
            "invertY",
            params.BooleanParam,
            default=False,
            label="Turn upside down?",
            help="*Yes* if y counts from the bottom row in the files: after scaling, "
            "y becomes rows - 1 - y.",
        )

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict({"observed": self._getExtraPath("observed.json")})

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        self._insertFunctionStep(self.importStep, fingerprint(self), needsGPU=False)

    def importStep(self, form):
        """Read the files and register the picks."""
        picks = read_picks_folder(
            self._folder(),
            micrographs_from_set(self.inputMicrographs.get()),
            picker=self.getPickerName(),
            options=ReadOptions(
                pattern=self.filesPattern.get(),
                box_size=self.boxSize.get(),
                pick_format=FILE_FORMATS[self.fileFormat.get()],
                scale=self.scale.get(),
                invert_y=self.invertY.get(),
                min_score=self.minScore.get(),
            ),
        )
        self._createOutput(picks)

    def _createOutput(self, picks: PickerPicks) -> None:
        coordinates = createPicksSet(
            self, picks, observed=self._getFileName("observed")
        )
        self._defineOutputs(outputCoordinates=coordinates)
        self._defineSourceRelation(self.inputMicrographs, coordinates)

    # -------------------------- information --------------------------
    def _validate(self):
        errors = self._validateFiles()
        if self.boxSize.get() is not None and self.boxSize.get() < 1:
            errors.append(
                "Box size: it must be 1 px or more; leave it empty to take what the "
                "files record."
            )
        if not self.scale.get() > 0:
            errors.append(
                "Scale factor: it must be above 0; 1 leaves positions as they are."
            )
        if LIST_SEPARATOR in self.getPickerName():
            errors.append(f"Name of the picker: it must not hold '{LIST_SEPARATOR}'.")
        return errors

    def _validateFiles(self) -> list[str]:
        if not self.filesPath.get():
            return ["Folder: choose the folder with the picker's files."]
        folder = self._folder()
        if folder.is_file():
            return []
        if not folder.is_dir():
            return [f"Folder: {folder} is not there; choose one that is."]
        pattern = self.filesPattern.get() or ""
        try:
            find_pick_files(folder, pattern)
        except (ValueError, NotImplementedError) as error:
            return [f"Pattern: '{pattern}' cannot be used ({error}); try *."]
        except FileNotFoundError:
            return [f"Pattern: no file in {folder} fits '{pattern}'; try *."]
        return []

    def _summary(self):
        output = getattr(self, "outputCoordinates", None)
        if output is None:
            return ["Not run yet."]
        known = read_observed(output)
        nMicrographs = self.inputMicrographs.get().getSize()
        nObserved = nMicrographs if known is None else len(known.observed)
        summary = [
            f"{output.getSize()} picks of *{self.getPickerName()}* on {nObserved} "
            f"micrographs, box {output.getBoxSize()} px."
        ]
        if nObserved < nMicrographs:
            summary.append(
                f"{nMicrographs - nObserved} of {nMicrographs} micrographs have no "
                "file: they count as not run by this picker."
            )
        return summary

    def _methods(self):
        output = getattr(self, "outputCoordinates", None)
        if output is None:
            return []
        return [f"{output.getSize()} picks of {self.getPickerName()} were imported."]

    def _citations(self):
        return []

    # -------------------------- used by others --------------------------
    def getPickerName(self) -> str:
        """Return how results call the picker: the name of its folder by default."""
        given = (self.pickerName.get() or "").strip()
        folder = self._folder()
        return given or (folder.stem if folder.is_file() else folder.name)

    def _folder(self) -> Path:
        return Path(self.filesPath.get() or "").expanduser().resolve()
