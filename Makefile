# Works on a fresh clone with Python 3.11+ and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup book pdf check test bench results clean
help:  ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

setup: .venv/.installed  ## Create .venv and install the exact versions of constraints.txt
.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[book,cluster,dev]' && touch $@

book: setup  ## Execute the chapters that changed, render the book, and say where it is
	PYTHONPATH=book/_ext $(BIN)/python -m gdmbook

pdf: book  ## Print the whole book into one PDF, and say where it is
	PYTHONPATH=book/_ext $(BIN)/python -m gdmbook.pdf

check: setup  ## Look at the code without running it: style and types
	$(BIN)/ruff check && $(BIN)/ruff format --check
	$(BIN)/mypy

test: check book  ## Run everything: style, types, book, units, exercises, the site in a browser
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile  # a process for each core, one thread each

bench: setup  ## Measure the library against its peers into benchmarks/results.json
	$(BIN)/python -m benchmarks

results: setup  ## Train every recipe at laptop size, each into a folder of runs/
	for recipe in $$($(BIN)/gdmcourse train | cut -d' ' -f1); do $(BIN)/gdmcourse train $$recipe || exit 1; done

clean:  ## Remove what was built; the environment stays
	rm -rf _build runs .pytest_cache .mypy_cache .ruff_cache .hypothesis
