# make env    .venv with everything         make test          all checks, from a fresh clone
# make lint   ruff                          make test-pythons  tests on every Python found
# make types  mypy                          make clean         forget environments and caches
#
# make demo   simulated micrographs through the whole workflow, against their truth, in
#             $(DEMO), fresh each time
#
# make test-interop  with Xmipp's and EMAN2's plugins, without their binaries; the first
#                    time 3 min and 3 GB for .venv-interop, then 1 min
#
# make gui-check  every form, viewer and wizard opens on a virtual screen, is used, and
#                 nothing is cut off; screenshots in $(RESULTS)/gui, of the report too
#                 where there is a chromium; 3 min on 2 cores; apt: xvfb openbox
#
# make bench-speed  ours against the plain way, pairs in turn in one run, a plot of them in
#                   $(RESULTS); time and memory of whole stages on real micrographs; 15 min
#
# Slow, on real micrographs: the folder that DEEPCONSENSUS_DATA names; they skip without.
# make bench-real   the workflow on EMPIAR-10017, four sets of pickers; the first three 15 min
# make bench-pickers  pickers without training on two sets, and their speed, 2 min
# make bench-trained-pickers  all pickers on micrographs that the trained ones have not
#                   seen; a minute after bench-deepem and bench-topaz, else half an hour
# make bench-classical  the workflow from those two pickers alone, 10 min
# make bench-demo   make demo with the seeds 1, 2 and 3 (needs no data)
# make bench-streaming  deep consensus while micrographs come, one run killed and
#                   continued, against the stages one by one (needs no data); 10 min
# make bench-noise  training on wrong labels, plain and pruned, the paper's Tables 5 and 6,
#                   on simulated micrographs (needs no data); 40 min, Table 5 alone
#                   (--quick) 15 min
# make bench-accuracy  fused probabilities beside votes, REPIC and Z-scores, on what
#                      bench-real left in $(RESULTS), 4 min
# make bench-accuracy-simulated  the same on twelve simulated sets (needs no data), 15 min
# make bench-deepem  DeepEM round by round on simulated and real sets, the paper's variant
#                    beside ours, curves, and the speed of dense recognition; an hour
#                    of the processor
# make bench-paper  the test of the paper's Table 2, 20 min
# make bench-topaz  Topaz: the paper's Figure 5 in kind, beside the public package (make
#                   env-topaz first), real sets; 3 hours, make bench-topaz-short 15 min
# make train-general  the general HydraPicker that comes with the package, from the reduced
#                     corpus in $(CORPUS), made where it is missing; hours, can be killed
#                     and started again; GENERAL=--thesis as published, on a GPU
# make bench-hydra  HydraPicker: the thesis' Tables 4.3, 4.6, 4.8 and 4.9 in kind, on the
#                   reduced corpus in $(CORPUS) (DEEPCONSENSUS_STRUCTURES names the folder
#                   of molecules), and real sets, beside topaz-em's detectors; HYDRA='--model
#                   DIR' another model; make bench-hydra-short two sets of each kind;
#                   some four hours on one core, half of it topaz-em's (HYDRA=--peers
#                   leaves that out)
# make bench-rescue  particles that no picker found, on what bench-real left, 3 min
# make bench-topaz-peer  the public package topaz-em by itself, in .venv-topaz (make
#                        env-topaz: 4 min and 1.4 GB where the package index has torch
#                        without CUDA, several times that where it has not); 40 min

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := env

VENV ?= .venv
PYTHON ?=
EXTRAS ?= dev
RUN := $(VENV)/bin/python

# A change of requirements makes a new stamp, hence a new install.
STAMP := $(VENV)/.installed-$(EXTRAS)-$(shell cat requirements.txt setup.py | sha256sum | cut -c1-16)

# Needs nothing of ours. A version with a label, +cpu, is preferred where there is one.
TOPAZ := 'topaz-em==0.3.20' 'torch>=2.13,<2.14'
TOPAZ_STAMP := .venv-topaz/.installed-$(shell echo "$(TOPAZ)" | sha256sum | cut -c1-16)

# Tests at once: files of them; each takes a core and up to 2 GB.
JOBS ?= 2

RESULTS ?= results
DEMO ?= $(RESULTS)/demo
CORPUS ?= $(RESULTS)/hydra_corpus
GENERAL ?=
HYDRA ?=

.PHONY: gui-check env env-topaz demo bench-demo test lint types unit test-pythons test-interop bench-real bench-accuracy bench-accuracy-simulated bench-pickers bench-trained-pickers bench-classical bench-noise bench-streaming bench-paper bench-speed train-general bench-rescue bench-topaz bench-topaz-short bench-topaz-peer bench-hydra bench-hydra-short bench-deepem clean

env: $(STAMP)

$(STAMP):
	@python=$$(.ci/find-python $(PYTHON))
	start=$$SECONDS
	[ -x $(RUN) ] || "$$python" -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	$(RUN) -m pip check --disable-pip-version-check
	rm -f $(VENV)/.installed-*
	touch $@
	echo "$(VENV): $$($(RUN) --version), ready in $$((SECONDS - start)) s"

test:
	@start=$$SECONDS
	$(MAKE) --no-print-directory env lint types unit
	echo "make test: $$((SECONDS - start)) s"

lint: env
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: env
	$(RUN) -m mypy

unit: env
	$(RUN) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations=10

test-pythons:
	@for version in 3.10 3.11 3.12; do
	    python=$$(.ci/find-python python$$version $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$$version.*/bin/python 2>/dev/null) \
	        || { echo "Python $$version: not found, skipped"; continue; }
	    $(MAKE) --no-print-directory unit VENV=.venv-$$version PYTHON=$$python
	done

test-interop:
	@$(MAKE) --no-print-directory env VENV=.venv-interop EXTRAS=interop
	.venv-interop/bin/python -m pytest --durations=5 deepconsensus_plugin/tests/interop

# Only a folder that the command made is deleted; it refuses any other.
demo: env
	@[ ! -e $(DEMO)/run.json ] || rm -rf $(DEMO)
	start=$$SECONDS
	$(RUN) -m deepconsensus_plugin run deep_consensus_demo --project $(DEMO)
	echo "make demo: $$((SECONDS - start)) s"

gui-check: env
	$(RUN) -m tools.gui_check $(RESULTS)/gui

bench-real: env
	$(RUN) -m benchmarks.consensus.real_data $(RESULTS) --run

bench-accuracy: env
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.consensus.accuracy $(RESULTS)

bench-accuracy-simulated: env
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.consensus.accuracy_simulated $(RESULTS)/simulated

bench-pickers: env
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.consensus.pickers

bench-trained-pickers: env
	$(RUN) -m benchmarks.consensus.trained_pickers $(RESULTS)

bench-classical: env
	$(RUN) -m benchmarks.consensus.classical $(RESULTS)/classical

bench-noise: env
	$(RUN) -m benchmarks.consensus.label_noise $(RESULTS)/noise

bench-streaming: env
	$(RUN) -m benchmarks.speed.streaming $(RESULTS)/streaming

bench-demo: env
	$(RUN) -m benchmarks.consensus.demo $(RESULTS)/demo-seeds

bench-paper: env
	$(RUN) -m benchmarks.consensus.paper_test

bench-speed: env
	$(RUN) -m benchmarks.speed.ratios $(RESULTS)
	$(RUN) -m benchmarks.speed.stages $(RESULTS)/stages

env-topaz: $(TOPAZ_STAMP)

$(TOPAZ_STAMP):
	@python=$$(.ci/find-python $(PYTHON))
	[ -x .venv-topaz/bin/python ] || "$$python" -m venv .venv-topaz
	.venv-topaz/bin/python -m pip install --quiet --disable-pip-version-check $(TOPAZ)
	rm -f .venv-topaz/.installed-*
	touch $@

bench-deepem: env
	$(RUN) -m benchmarks.deepem $(RESULTS)/deepem

bench-topaz: env env-topaz
	$(RUN) -m benchmarks.topaz.tables $(RESULTS)/topaz

train-general: env
	$(RUN) -m benchmarks.hydra.corpus $(CORPUS) --reduced
	$(RUN) -m benchmarks.hydra.general $(CORPUS) $(RESULTS)/hydra_general --ship deepconsensus_plugin/general_model $(GENERAL)

bench-hydra: env env-topaz
	$(RUN) -m benchmarks.hydra.corpus $(CORPUS) --reduced
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.hydra $(CORPUS) $(RESULTS)/hydra $(HYDRA)

bench-hydra-short: env env-topaz
	$(MAKE) --no-print-directory bench-hydra HYDRA='$(HYDRA) --short'

bench-rescue: env
	$(RUN) -m benchmarks.consensus.rescue $(RESULTS)

bench-topaz-short: env env-topaz
	$(RUN) -m benchmarks.topaz.tables $(RESULTS)/topaz --short

bench-topaz-peer: env env-topaz
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.topaz.baseline $(RESULTS)/topaz

clean:
	rm -rf .venv .venv-3.1? .venv-interop .venv-topaz .pytest_cache .mypy_cache .ruff_cache .hypothesis build ./*.egg-info

.ONESHELL:
