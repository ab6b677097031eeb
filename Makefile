# Two commands on a fresh machine: `make app` and `make test`. Everything is installed into .venv from pinned versions.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUPPLY := $(VENV)/supply/bin
export HF_HUB_OFFLINE ?= 1

.PHONY: app install test integration soak check fuzz bench screenshots sample sbom audit clean

app: $(VENV)/.app
	$(BIN)/streamlit run dashboard/app.py

install: $(VENV)/.app

test: $(VENV)/.dev $(VENV)/.browser
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not integration" --cov --cov-report=term  # two processes, each with a server and a browser of its own

# Builds the wheel and installs it into empty environments outside this folder
integration: $(VENV)/.dev $(VENV)/.browser
	$(BIN)/python -m pytest tests/integration -m integration

# Kills real commands 200 times, and looks for what is lost; SEED=N repeats a run
soak: $(VENV)/.dev
	$(BIN)/python -m tests.integration.kills $(or $(KILLS),200) --seed $(or $(SEED),7)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

# Damaged and hostile inputs: 2,000 of each kind, then ten minutes of a coverage-guided fuzzer
fuzz: $(VENV)/.fuzz
	$(BIN)/python -m pytest tests/fuzz --hypothesis-profile fuzz
	$(BIN)/python -m tests.fuzz.coverage_guided -max_total_time=600

bench: $(VENV)/.bench $(VENV)/.browser
	$(BIN)/python -m benchmarks.run

screenshots: $(VENV)/.dev $(VENV)/.browser
	$(BIN)/python -m tests.browser.screenshots

sample: $(VENV)/.app
	$(BIN)/python -m sample_data.build

# What is installed in .venv, as a CycloneDX bill of materials
sbom: $(VENV)/.app $(VENV)/.supply
	mkdir -p dist
	$(SUPPLY)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON -o dist/sbom.json $(BIN)/python

# Known vulnerabilities of the pinned versions; needs pypi.org
audit: $(VENV)/.supply
	$(SUPPLY)/python .ci/audit.py

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Python 3.11 to 3.13 is needed; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.app: $(VENV)/.python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dashboard,maps]'
	touch $@

$(VENV)/.dev: $(VENV)/.app
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

$(VENV)/.fuzz: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[fuzz]'
	touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	touch $@

# In an environment of its own, so that it is not in the bill of materials
$(VENV)/.supply: $(VENV)/.python constraints.txt
	$(PYTHON) -m venv $(VENV)/supply
	$(SUPPLY)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt cyclonedx-bom pip-audit
	touch $@

# The system's Chromium, else the package manager's, else Playwright's own
$(VENV)/.browser: $(VENV)/.dev
	command -v chromium || command -v chromium-browser || command -v google-chrome \
	  || { command -v apt-get && { [ "$$(id -u)" = 0 ] || SUDO=sudo; } && $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq chromium; } \
	  || $(BIN)/playwright install --with-deps chromium
	touch $@

clean:
	rm -rf $(VENV) .coverage dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
