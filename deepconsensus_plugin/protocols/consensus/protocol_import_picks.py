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
from deepconsensus_plugin.core.errors import NameMatchError
from deepconsensus_plugin.core.pick_files.folders import read_with_remarks
from deepconsensus_plugin.core.pick_files.layouts import find_pick_files
from deepconsensus_plugin.core.pick_files.picks import PickFormat
from deepconsensus_plugin.core.pick_files.placing import ReadOptions
from deepconsensus_plugin.core.serialisation import read_json_part, write_json
from deepconsensus_plugin.core.types import PickerPicks
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.input_checks import (
    describeBadMicrographs,
    describeLargeBox,
    describeOtherPixelSize,
)
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown
from deepconsensus_plugin.protocols.shared.picks_output import createPicksSet

_FORMATS = {kind: kind.label for kind in PickFormat.by_number()}

READING = ParameterForm(
    ReadOptions,
    pattern=Shown("filesPattern"),
    pick_format=Shown(
        "fileFormat",
        choices={
            None: "Auto",
            **_FORMATS,
        },
        former={"automatic": 0},
    ),
    box_size=Shown(param=params.IntParam),
)


class ProtImportPicks(Appearance, ProtParticlePicking):
    """Import the picks of one picker from a folder of its files.

    Micrographs and files are matched by name; prefixes and suffixes that programs add
    are tolerated. The picker counts as not run on a micrograph without a file, and as
    run without finding anything on one with an empty file.
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
            help="Micrographs that the picks were made on. Picks of other micrographs "
            "are left out.",
        )
        form.addParam(
            "filesPath",
            params.PathParam,
            important=True,
            label="Folder",
            help="Folder with the files of the picker, or one file with the picks of "
            "all micrographs (Topaz, cryoSPARC *.cs*, merged *.star* or *.csv*).",
        )
        READING.define(form, "pattern", "pick_format")
        form.addParam(
            "pickerName",
            params.StringParam,
            allowsNull=True,
            label="Picker name",
            help="Name of the picker in results.\nAuto (empty): the name of the "
            "folder.",
        )
        READING.define(form, "min_score")

    def _defineGeometryParams(self, form):
        READING.define(form.addGroup("Geometry"), "box_size", "scale", "invert_y")

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict(
            {
                "observed": self._getExtraPath("observed.json"),
                "remarks": self._getExtraPath("remarks.json"),
            }
        )

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        self._insertFunctionStep(self.importStep, fingerprint(self), needsGPU=False)

    def importStep(self, form):
        """Read the files and register the picks."""
        found = read_with_remarks(
            self._folder(),
            micrographs_from_set(self.inputMicrographs.get()),
            picker=self.getPickerName(),
            options=READING.read(self),
        )
        path = Path(self._getFileName("remarks"))
        write_json(path, {"remarks": [*found.remarks]})
        self._createOutput(found.picks)

    def _createOutput(self, picks: PickerPicks) -> None:
        coordinates = createPicksSet(
            self, picks, observed=self._getFileName("observed")
        )
        self._defineOutputs(outputCoordinates=coordinates)
        self._defineSourceRelation(self.inputMicrographs, coordinates)

    # -------------------------- information --------------------------
    def _validate(self):
        errors = self._validateFiles()
        errors += READING.describe_bad(self)
        micrographs = self.inputMicrographs.get()
        errors += describeBadMicrographs(micrographs)
        errors += describeLargeBox("Box size", self.boxSize.get(), micrographs)
        if LIST_SEPARATOR in self.getPickerName():
            errors.append(f"Picker name: it must not contain '{LIST_SEPARATOR}'.")
        return errors

    def _warnings(self):
        return describeOtherPixelSize(self.inputMicrographs.get())

    def _validateFiles(self) -> list[str]:
        if not self.filesPath.get():
            return ["Folder: choose the folder with the files of the picker."]
        folder = self._folder()
        if folder.is_file():
            return []
        if not folder.is_dir():
            return [f"Folder: {folder} does not exist."]
        pattern = self.filesPattern.get() or ""
        try:
            find_pick_files(folder, pattern)
        except NameMatchError as error:
            return [f"Folder: {error}."]
        except (ValueError, NotImplementedError) as error:
            return [f"File pattern: '{pattern}' cannot be used ({error}); try *."]
        except FileNotFoundError:
            if pattern in ("", "*"):
                return [f"Folder: {folder} contains no files."]
            return [f"File pattern: no file in {folder} fits '{pattern}'; try *."]
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
                "file; they count as not run by this picker."
            )
        return summary + self._readRemarks()

    def _readRemarks(self) -> list[str]:
        """Return what was to be said of the files; nothing of early versions."""
        self._createFilenameTemplates()
        path = Path(self._getFileName("remarks"))
        return read_json_part(path, "remarks") if path.is_file() else []

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
