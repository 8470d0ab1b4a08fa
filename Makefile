# make demo    a talking video of a real photo in out/demo.mp4, from nothing
# make test    the tests        make check   style, types and import rule        make bench   speed
#
# TORCH_INDEX=URL names a package index that has CPU builds of torch: a far smaller download than the ordinary
# build. It is ignored where an NVIDIA GPU is seen.

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --no-compile --constraint constraints.txt
GPU := $(shell nvidia-smi -L 2>/dev/null)
INDEX := $(if $(GPU),,$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)))
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3,$(shell $(p) -c '$(SUPPORTED)' 2>/dev/null && echo $(p))))

.PHONY: demo test check bench setup clean

demo: setup
	$(PY) examples/demo.py

test: $(VENV)/.dev
	$(PY) -m pytest -q -n 2

check: $(VENV)/.dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

bench: setup
	OMP_NUM_THREADS=1 $(PY) -m benchmarks

setup: $(VENV)/.runtime

# Marker files: a step runs again only when what it depends on has changed.
$(VENV)/.created:
	@test -n "$(PYTHON)" || { echo "vultus needs Python 3.11 or 3.12 and found neither; install one, or name it: make PYTHON=..." >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON) (once, some minutes) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: pyproject.toml constraints.txt | $(VENV)/.created
	@$(INSTALL) $(INDEX) --editable ".[demo]"
	@$(INSTALL) --no-deps mediapipe
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	@$(INSTALL) $(INDEX) --editable ".[demo,dev]"
	@touch $@

clean:
	rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
