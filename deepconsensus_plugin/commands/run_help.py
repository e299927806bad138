# SPDX-License-Identifier: GPL-3.0-or-later
"""Help of ``run``: the templates with their fields, or one with all its settings."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator

from deepconsensus_plugin.bootstrap import prepare_environment
from deepconsensus_plugin.commands.template_texts import (
    Field,
    TemplateText,
    template_text,
    template_texts,
)

_USAGE = """\
usage: python -m deepconsensus_plugin run TEMPLATE name=value … --project DIR
       python -m deepconsensus_plugin run TEMPLATE --help

Run a template without the GUI, from micrographs to particles or picks.
Options and name=value words come in any order.

  --project DIR  folder of the Scipion project, a new one; the same command
                 again goes on where it stopped
  --skip-bad     leave out micrographs that cannot be read, and name them
  --help         of a template: its settings, and those of its protocols

examples:
  python -m deepconsensus_plugin run auto micrographs='DIR/*.mrc' --project P
  python -m deepconsensus_plugin run deep_consensus micrographs='DIR/*.mrc' \\
      picks=DIR1,DIR2,DIR3 boxSize=90 --project P
  python -m deepconsensus_plugin run pick_without_training \\
      micrographs='DIR/*.mrc' particleDiameter=120 --project P
  python -m deepconsensus_plugin run screen_particles STAR=particles.star \\
      negatives=rejected.star --project P
  python -m deepconsensus_plugin run deep_consensus_demo --project P

settings of every template:
  picks=DIR[:name=N][:scale=0.5][:invertY=yes][:minScore=0.3],…
                 one folder a picker, named after it; or a file with the picks
                 of all micrographs
  truth=DIR      true coordinates to compare with
  ctf=FILE       CTFs of the micrographs: a STAR of RELION or GCTF, a .cs of
                 cryoSPARC, or the folder of CTFFIND's texts
  extraNegatives=PATH,…  extraPositives=PATH,…
                 your own sets to train on beside the others: picks on these
                 micrographs, or particles (a STAR with stacks, or a stack)
  testPositives=PATH  testNegatives=PATH
                 the same, to test the network on
  preset=paper   the published method (docs/method.md); what is written out
                 wins
  preset=fast    one small network
  stacks=no      coordinates only, no images of the particles that are kept
  scheduler=tcp://HOST:PORT
                 workers of a dask.distributed scheduler do the work; or
                 processes, of this computer (docs/cluster.md)
  queue=yes      jobs go to the first queue of Scipion's hosts.conf;
                 queue=NAME to another, queue=no to none
  any number, word or yes-no of the forms of its protocols, such as
  consensusRadius, minPickers (or all), nEpochs, nModels; TEMPLATE --help
  lists them
  LABEL.name=value
                 the same for one protocol, by its label: network.nEpochs=5
"""
_STATUS = """\
exit status:
  0  done
  1  failed, or the input is wrong: the message says what
  2  wrong usage
  130  interrupted by Ctrl-C; the same command goes on
"""
_WIDEST = 100
_NAME_WIDTH = 22


def overview_lines() -> Iterator[str]:
    """Yield the help of the command: usage, and every template with its fields."""
    yield from _USAGE.splitlines()
    yield ""
    yield "templates, and the fields that they ask for:"
    for text in template_texts():
        yield ""
        yield from _template_lines(text)
    yield ""
    yield from _STATUS.splitlines()


def template_lines(name: str) -> Iterator[str]:
    """Yield the help of a template: its fields, and the settings of its forms.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    text = template_text(name)
    yield from _template_lines(text)
    prepare_environment()
    # Scipion reads its environment when it is imported.
    from deepconsensus_plugin.commands.fields import read_template
    from deepconsensus_plugin.report.forms import describe_param, settable_form

    try:
        template = read_template(name)
    except ValueError as error:  # protocols of other plugins
        yield ""
        yield str(error)
        return
    told = {"hostName", *template.aliases}
    for kind in dict.fromkeys(node["object.className"] for node in template.nodes):
        form = settable_form(kind)
        lines = [
            line
            for name in sorted(form.keys() - told)
            if form[name].label.get()  # hidden ones have none
            for line in _setting_lines(name, describe_param(form[name]))
        ]
        told |= form.keys()
        if lines:
            yield ""
            yield f"settings of the form of {kind}:"
            yield from lines


def _template_lines(text: TemplateText) -> Iterator[str]:
    yield text.name
    yield from _wrapped(text.description, "  ", "  ")
    for field in text.fields:
        yield from _setting_lines(field.alias, _describe(field))


def _describe(field: Field) -> str:
    return f"{field.title} [{field.describe_default()}]"


def _setting_lines(name: str, meaning: str) -> list[str]:
    start = f"    {name}".ljust(_NAME_WIDTH + 4) + "  "
    return _wrapped(meaning, start, " " * (_NAME_WIDTH + 6))


def _wrapped(text: str, first: str, others: str) -> list[str]:
    width = min(shutil.get_terminal_size().columns, _WIDEST) - 1
    return textwrap.wrap(
        text,
        max(width, _NAME_WIDTH + 30),
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
    )
