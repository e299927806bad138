# SPDX-License-Identifier: GPL-3.0-or-later
"""Box frames: which boxes are cut from which micrographs, and their scale.

Others are dose-weighted or binned ones, for example. As Scipion's own extraction has
it, positions and the box then go to the pixel size of the micrographs that are cut, and
everything keeps the name and id of the micrograph that it was picked on.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from pwem.objects import CTFModel, SetOfCoordinates, SetOfCTF, SetOfMicrographs

from deepconsensus_plugin.convert.coordinates import match_micrographs
from deepconsensus_plugin.convert.items import own_micrographs
from deepconsensus_plugin.convert.micrographs import (
    ctfs_by_micrograph,
    micrographs_from_set,
)
from deepconsensus_plugin.core.boxes import scaled_box
from deepconsensus_plugin.core.types import Micrograph


@dataclass(frozen=True)
class BoxFrame:
    """Boxes around coordinates, cut out of micrographs.

    Parameters
    ----------
    coordinates : SetOfCoordinates
        Centres of the boxes, on micrographs that it knows, with a box size.
    micrographs : SetOfMicrographs
        Micrographs to cut: the same ones, or others of the same exposures, which are
        matched by name.
    ctfs : SetOfCTF, optional
        CTFs of the same exposures too.
    picked_box : int, optional
        Pixels of the coordinates. None: as the set knows.
    left_out, left_out_picked : collections of str
        Names of the micrographs to cut, and of those of the coordinates, whose files
        cannot be read.
    """

    coordinates: SetOfCoordinates
    micrographs: SetOfMicrographs
    ctfs: SetOfCTF | None = None
    picked_box: int | None = None
    left_out: Collection[str] = ()
    left_out_picked: Collection[str] = ()

    @property
    def scale(self) -> float:
        """Pixels that are cut per pixel of the coordinates."""
        own = own_micrographs(self.coordinates).getSamplingRate()
        return float(own / self.micrographs.getSamplingRate())

    @property
    def box_size(self) -> int:
        """Pixels that are cut."""
        box = self.picked_box or self.coordinates.getBoxSize()
        return scaled_box(int(box), self.scale)

    def read_micrographs(self) -> tuple[Micrograph, ...]:
        """Return what is cut, named as the micrographs that the coordinates lie on.

        Those without a counterpart, and those that are left out, are not there.

        Raises
        ------
        NameMatchError
            If the two sets share no micrograph, or names are ambiguous.
        """
        names = self._names()  # first, since a set that is being filled grows
        found = micrographs_from_set(
            self.micrographs, ctfs=self.ctfs, left_out=self.left_out
        )
        by_name = {micrograph.name: micrograph for micrograph in found}
        return tuple(
            replace(by_name[name], name=own)
            for own, name in names.items()
            if name not in self.left_out and own not in self.left_out_picked
        )

    def read_usable(self) -> tuple[Micrograph, ...]:
        """Return `read_micrographs` without those whose CTF is wanted but not known."""
        found = self.read_micrographs()
        return tuple(m for m in found if m.ctf or self.ctfs is None)

    def read_ctfs(self) -> dict[str, CTFModel]:
        """Return the CTFs of `read_micrographs`, by the same names; none without."""
        if self.ctfs is None:
            return {}
        names = self._names()
        models = ctfs_by_micrograph(self.ctfs, list(names.values()))
        return {own: models[name] for own, name in names.items() if name in models}

    def _names(self) -> dict[str, str]:
        """Return the name of what is cut by the name of what was picked on."""
        return dict(match_micrographs(self.coordinates, self.micrographs).by_name)
