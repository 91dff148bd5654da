# Works on a fresh clone with Python 3.11+ and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup book exams pdf zip check test bench gpu results clean
help:  ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

setup: .venv/.installed  ## Create .venv and install the exact versions of constraints.txt
.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[book,cluster,dev]' && touch $@

book: setup  ## Execute the chapters that changed (or PAGES="guidance metrics" alone) and render the book
	PYTHONPATH=book/_ext $(BIN)/python -m gdmbook $(PAGES)

exams: setup  ## Print the exam papers and their solutions, for teachers, into _build/exams
	$(BIN)/python -m sphinx -q -W -a -E -c solutions/exams solutions/exams _build/exams

pdf: book  ## Print the whole book into one PDF, and say where it is
	PYTHONPATH=book/_ext $(BIN)/python -m gdmbook.pdf

zip: book  ## Pack the rendered book into _build/gdmcourse-book.zip, which opens offline
	ln -sfn html _build/gdmcourse-book
	cd _build && rm -f gdmcourse-book.zip && ../$(BIN)/python -m zipfile -c gdmcourse-book.zip gdmcourse-book

check: setup  ## Look at the code without running it: style, types, workflows, the image
	$(BIN)/ruff check && $(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/check-jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --offline --quiet --strict-collection .github/workflows
	$(BIN)/hadolint Dockerfile

ROOMS := $(filter-out %.py __pycache__,$(sort $(notdir $(wildcard tests/*)))) nightly
ifneq ($(filter-out $(ROOMS),$(ROOM)),)
$(error there is no room $(ROOM) in tests/; there are: $(ROOMS))
endif
PART = $(if $(filter nightly,$(ROOM)),-m nightly,tests/$(ROOM))
test: $(if $(filter-out book site nightly,$(ROOM)),setup,check book)  ## Run everything, or one room of tests/: make test ROOM=grading
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadscope -p benchmarks.suite $(PART)  # a process for each core, one thread each

bench: setup  ## Measure the library against its peers into benchmarks/results.json
	$(BIN)/python -m benchmarks

gpu:  ## Try and measure the library on one graphics card, with the packages that PYTHON has
	$(PYTHON) -m benchmarks.gpu

WORKERS ?= 2
results: setup  ## Measure every study anew, the search before what it chooses for (WORKERS=2 parts at a time)
	for study in $$($(BIN)/gdmcourse study | cut -d' ' -f1); do \
		$(BIN)/gdmcourse study $$study --workers $(WORKERS) $(if $(CLUSTER),--cluster $(CLUSTER)) || exit 1; done

clean:  ## Remove what was built; the environment stays
	rm -rf _build runs .pytest_cache .mypy_cache .ruff_cache .hypothesis
