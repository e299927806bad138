# Run times are those of 2 cores without a GPU. Results go to $(RESULTS).
#
# Set up
#   make env                .venv with everything, 3 GB; minutes, most of them download
#   make env-topaz          .venv-topaz with the public package topaz-em; 4 min and 1.4 GB
#                           where the package index has torch without CUDA, else more
#   make clean              forget environments and caches; seconds
#
# Check
#   make test               lint, types and unit, from a fresh clone; 7 min after env
#   make test-quick         the tests that neither train at length nor start processes; 3 min
#   make lint               ruff; seconds
#   make types              mypy; 15 s
#   make unit               pytest, in $(JOBS) processes, the slow tests last; 7 min
#   make test-pythons       env and unit on each of Python 3.10 - 3.12 that is found
#   make test-interop       with Xmipp's and EMAN2's plugins, without their binaries, with
#                           cryosparc-tools and, where it is, RELION (apt: relion); 1 min,
#                           the first time 3 min and 3 GB for .venv-interop
#   make wheel              wheel and source distribution in dist, their contents and the page
#                           of the package checked; 1 min
#   make test-wheel         the wheel in an empty environment of each Python, used from outside
#                           this folder; 5 min and 3 GB each, in $(RESULTS)/wheel
#   make test-scipion       Scipion from its packages with this plugin, Xmipp's, EMAN2's,
#                           RELION's, Topaz', SPHIRE's, REPIC's and cryoSPARC's: menu, tests, the
#                           jobs' environment made, one small run in it; 3.3 GB in
#                           $(RESULTS)/scipion; 30 min on cores that eight others used
#   make test-backends      scores with JAX and PyTorch beside TensorFlow's, every kind of model;
#                           2 min of one core, and 4 GB for .venv-backends the first time
#   make test-onednn        trainings with and without oneDNN's kernels, and with those of
#                           older processors: what they make of NaN differs; 3 min
#   make digests            what four small runs find, with fixed seeds and one thread: the same
#                           lines before and after a change that must not change numbers; 5 min
#   make gui-check          every form, viewer and wizard opens on a virtual screen, is used,
#                           and nothing is cut off; screenshots in $(RESULTS)/gui, of the
#                           report too where there is a chromium; 3 min; apt: xvfb openbox
#
# See
#   make demo               simulated micrographs through the whole workflow, against their
#                           truth, in $(DEMO), fresh each time; 5 min
#
# Measure, without data
#   make bench-demo                 demo with the seeds 1, 2 and 3; 15 min
#   make bench-faults               small runs that are killed, starved and misled, beside an
#                                   undisturbed one; 30 min; as root with a disk that fills
#   make bench-streaming            deep consensus while micrographs come, one run killed and
#                                   continued, against the stages one by one; 10 min
#   make bench-noise                training on wrong labels, plain and pruned, the paper's
#                                   Tables 5 and 6; 40 min (Table 5 alone, --quick: 15 min)
#   make bench-fuzz                 mutated files for every reader: refused, or read as what they
#                                   are (docs/reliability.md); 15 min
#   make bench-accuracy-simulated   fused probabilities beside votes, REPIC and Z-scores, on
#                                   twelve simulated sets; 15 min
#
# Measure, on real micrographs: the folder that DEEPCONSENSUS_DATA names; skipped without
#   make bench-real                 the workflow on EMPIAR-10017, four sets of pickers; the
#                                   first three 15 min
#   make bench-accuracy             fused probabilities beside votes, REPIC and Z-scores, on
#                                   what bench-real left; 4 min
#   make bench-review               simulated reviewers: what their marks are worth, on what
#                                   make demo, bench-real and bench-accuracy-simulated left;
#                                   10 min
#   make bench-radius               training particles and their purity at other consensus radii,
#                                   without training; 1 min
#   make bench-honesty              what is claimed of noise, empty ice, copies of a picker and
#                                   the like, beside the truth; 20 min
#   make bench-rescue               particles that no picker found, on what bench-real left;
#                                   3 min
#   make bench-junk                 junk of the package beside drawn background, and pruning a
#                                   given set with it; 30 min
#   make bench-paper                the test of the paper's Table 2, and the network on
#                                   candidates; 20 min; PRESET=paper: the preset of run, hours
#   make bench-pickers              pickers without training on two sets, their speed; 2 min
#   make bench-classical            the workflow from these two pickers alone; 10 min
#   make bench-deepem               DeepEM round by round on simulated and real sets, the
#                                   paper's variant beside ours, curves, speed; 60 min
#   make bench-topaz                Topaz: the paper's Figure 5 in kind, beside topaz-em, real
#                                   sets; 3 h
#   make bench-topaz-short          the same with fewer updates, seeds and labels; 15 min
#   make bench-topaz-peer           topaz-em by itself; 40 min
#   make bench-trained-pickers      all pickers on micrographs that the trained ones have not
#                                   seen; 1 min after bench-deepem and bench-topaz, else 30 min
#   make bench-speed                ours against the plain way, pairs in turn in one run, with
#                                   a plot; rows by micrograph; loops over candidates; fusion of
#                                   up to 3 million; time and memory of whole stages; 25 min
#   make bench-scale                processor time and memory of every node on 100, 1000 and
#                                   5000 micrographs, without pixels; 15 min, 6 GB
#
# The general HydraPicker, on the reduced corpus in $(CORPUS), made where it is missing;
# DEEPCONSENSUS_STRUCTURES names the folder of molecules
#   make train-general              a general model; some hours, can be killed and started
#                                   again; GENERAL=--quick 1 h, GENERAL=--thesis as
#                                   published, on a GPU
#   make bench-hydra                the thesis' Tables 4.3, 4.6, 4.8 and 4.9 in kind, and real
#                                   sets, beside topaz-em's detectors; 4 h of one core, half of
#                                   it topaz-em's (HYDRA=--peers leaves that out);
#                                   HYDRA='--model DIR' another model
#   make bench-hydra-short          the same on two sets of each kind; not timed
#   make bench-auto                 *auto*, from micrographs alone, beside its pickers told the
#                                   diameter; estimated diameters of all sets
#   make train-diameter             network of diameters, into deepconsensus_plugin/
#                                   diameter_network; 15 min of one core
#   make bench-area                 masks of real sets, true particles on them, and picks of the
#                                   general model with and without; 5 min
#
# The network of contaminants, on scenes in $(AREAS) that are made where they are missing
#   make train-mask                 its weights, in $(AREAS)/model: examples, 8 min of one
#                                   core, which are kept, then training, 6 min; copy the
#                                   model to deepconsensus_plugin/contaminant_network
#   make bench-areas                masks by these weights beside the rule's: simulated
#                                   scenes, the demo, real micrographs; 1 min

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := env

VENV ?= .venv
PYTHON ?=
EXTRAS ?= dev
RUN := $(VENV)/bin/python

# A change of requirements makes a new stamp, hence a new install.
STAMP := $(VENV)/.installed-$(EXTRAS)-$(shell cat requirements*.txt setup.py | sha256sum | cut -c1-16)

# Needs nothing of ours. A version with a label, +cpu, is preferred where there is one.
TOPAZ := 'topaz-em==0.3.20' 'torch>=2.13,<2.14'
TOPAZ_STAMP := .venv-topaz/.installed-$(shell echo "$(TOPAZ)" | sha256sum | cut -c1-16)

# What networks may be computed with besides TensorFlow. A version with a label, +cpu, is
# preferred where there is one.
BACKENDS := 'jax>=0.4.30' 'torch>=2.4'

# The interpreters to try for a version.
PYTHONS = python$(1) $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$(1).*/bin/python

# Tests at once: files of them; each takes a core and up to 2 GB.
JOBS ?= 2
PARALLEL = -n $(JOBS) --dist loadfile --no-loadscope-reorder

RESULTS ?= results
DEMO ?= $(RESULTS)/demo
CORPUS ?= $(RESULTS)/hydra_corpus
AREAS ?= $(RESULTS)/areas
GENERAL ?=
HYDRA ?=
PRESET ?=
PAPER ?=
FAULTS ?=

.PHONY: env env-topaz
.PHONY: digests gui-check test wheel test-wheel test-scipion test-backends test-quick
.PHONY: lint types unit test-pythons test-interop test-onednn
.PHONY: bench-demo bench-real bench-accuracy bench-radius bench-accuracy-simulated
.PHONY: bench-pickers bench-trained-pickers bench-classical bench-noise bench-streaming
.PHONY: bench-junk bench-paper bench-speed bench-area bench-areas bench-faults
.PHONY: bench-fuzz bench-honesty bench-rescue bench-review bench-topaz bench-topaz-short bench-topaz-peer
.PHONY: bench-hydra bench-hydra-short bench-deepem bench-auto
.PHONY: train-general train-mask train-diameter
.PHONY: demo clean

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
	$(RUN) -m pytest $(PARALLEL) --durations=10

test-quick: env
	$(RUN) -m pytest $(PARALLEL) -m "not slow"

test-pythons:
	@for version in 3.10 3.11 3.12; do
	    python=$$(.ci/find-python $(call PYTHONS,$$version) 2>/dev/null) \
	        || { echo "Python $$version: not found, skipped"; continue; }
	    $(MAKE) --no-print-directory unit VENV=.venv-$$version PYTHON=$$python
	done

test-interop:
	@$(MAKE) --no-print-directory env VENV=.venv-interop EXTRAS=interop
	.venv-interop/bin/python -m pytest --durations=5 deepconsensus_plugin/tests/interop

.venv-wheel/.installed:
	@python=$$(.ci/find-python $(PYTHON))
	"$$python" -m venv .venv-wheel
	.venv-wheel/bin/python -m pip install --quiet --disable-pip-version-check build twine
	touch $@

wheel: .venv-wheel/.installed
	@rm -rf dist build
	.venv-wheel/bin/python -m build --outdir dist . > /dev/null
	.venv-wheel/bin/python -m twine check --strict dist/*
	.venv-wheel/bin/python -m tools.distributions dist

test-wheel: wheel
	@for version in 3.10 3.11 3.12; do
	    python=$$(.ci/find-python $(call PYTHONS,$$version) 2>/dev/null) \
	        || { echo "Python $$version: not found, skipped"; continue; }
	    "$$python" -m tools.wheel_check dist $(RESULTS)/wheel/$$version
	done

test-scipion: wheel
	@python=$$(.ci/find-python $(PYTHON))
	"$$python" -m tools.scipion_check dist $(RESULTS)/scipion

.venv-backends/.installed: requirements.txt requirements-learning.txt
	@$(MAKE) --no-print-directory env VENV=.venv-backends EXTRAS=learning
	.venv-backends/bin/python -m pip install --quiet --disable-pip-version-check $(BACKENDS)
	touch $@

test-backends: .venv-backends/.installed
	@.venv-backends/bin/python -m tools.backends

# TensorFlow reads these variables once, hence a process each.
ONEDNN_TESTS := $(addprefix deepconsensus_plugin/tests/core/test_,training.py picker_training.py finite.py)

test-onednn: env
	@for variables in '' TF_ENABLE_ONEDNN_OPTS=0 TF_ENABLE_ONEDNN_OPTS=1 \
	        'TF_ENABLE_ONEDNN_OPTS=1 DNNL_MAX_CPU_ISA=AVX2'; do
	    echo "test-onednn: $${variables:-as this processor has it}"
	    env $$variables $(RUN) -m pytest -q $(ONEDNN_TESTS)
	done

# Only a folder that the command made is deleted; it refuses any other.
demo: env
	@[ ! -e $(DEMO)/run.json ] || rm -rf $(DEMO)
	start=$$SECONDS
	$(RUN) -m deepconsensus_plugin run deep_consensus_demo --project $(DEMO)
	echo "make demo: $$((SECONDS - start)) s"

digests: env
	@rm -rf $(RESULTS)/digests
	mkdir -p $(RESULTS)
	$(RUN) -m tools.digests $(RESULTS)/digests 2> $(RESULTS)/digests.log

gui-check: env
	$(RUN) -m tools.gui_check $(RESULTS)/gui

bench-real: env
	$(RUN) -m benchmarks.consensus.real_data $(RESULTS) --run

bench-accuracy: env
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.consensus.accuracy $(RESULTS)

bench-faults: env
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.faults $(RESULTS)/faults $(FAULTS)

bench-honesty: env
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.honesty $(RESULTS)/honesty

bench-fuzz: env
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.fuzz $(RESULTS)/fuzz

bench-review: env
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.review --real $(RESULTS) --simulated $(RESULTS)/simulated --demo $(RESULTS)/demo --reviewers 20

bench-radius: env
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.consensus.radius

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

bench-junk: env
	$(RUN) -m benchmarks.consensus.junk

bench-paper: env
	$(RUN) -m benchmarks.consensus.paper_test --preset '$(PRESET)' $(PAPER)

bench-speed: env
	$(RUN) -m benchmarks.speed.ratios $(RESULTS)
	$(RUN) -m benchmarks.speed.general_picker
	$(RUN) -m benchmarks.speed.grouping
	$(RUN) -m benchmarks.speed.start_up
	$(RUN) -m benchmarks.speed.executors
	$(RUN) -m benchmarks.speed.candidate_loops
	$(RUN) -m benchmarks.speed.fusion_scale $(RESULTS)/fusion
	$(RUN) -m benchmarks.speed.stages $(RESULTS)/stages

bench-scale: env
	$(RUN) -m benchmarks.scale $(RESULTS)/scale

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

train-mask: env
	$(RUN) -m benchmarks.areas $(AREAS)

bench-areas: env
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.areas $(AREAS) --figures

bench-hydra: env env-topaz
	$(RUN) -m benchmarks.hydra.corpus $(CORPUS) --reduced
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.hydra $(CORPUS) $(RESULTS)/hydra $(HYDRA)

bench-hydra-short: env env-topaz
	$(MAKE) --no-print-directory bench-hydra HYDRA='$(HYDRA) --short'

bench-auto: env
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.auto.diameter $(RESULTS)/auto
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.auto $(RESULTS)/auto

train-diameter: env
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.auto.training $(RESULTS)/auto --ship deepconsensus_plugin/diameter_network

bench-area: env
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.hydra.area $(RESULTS)/area

bench-rescue: env
	$(RUN) -m benchmarks.consensus.rescue $(RESULTS)

bench-topaz-short: env env-topaz
	$(RUN) -m benchmarks.topaz.tables $(RESULTS)/topaz --short

bench-topaz-peer: env env-topaz
	OMP_NUM_THREADS=1 $(RUN) -m benchmarks.topaz.baseline $(RESULTS)/topaz

clean:
	rm -rf .venv .venv-3.1? .venv-interop .venv-topaz .venv-wheel .venv-backends .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist ./*.egg-info

.ONESHELL:
