# Every target uses .venv and makes it when it is absent or the pinned requirements changed.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
ROOMS := ingest udfs stream retrain reports ops tests
SOURCES := $(ROOMS) dbt_project Makefile pyproject.toml profiles.yml .ci

.DEFAULT_GOAL := help
.PHONY: help demo up kafka evidently test test-slow check bench soak study pins clean

help: ## print this list
	@echo "Driftnet: make TARGET"
	@awk -F ':[^#]*## ' '/^[a-z-]+:[^#]*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.run ## everything from nothing in data/demo, told in the terminal (minutes)
	$(BIN)/driftnet demo

up: .venv/.run ## API, lander, scheduler and watch on this machine, until Ctrl-C (uses the Kafka of make kafka if it is up)
	@exec $(BIN)/driftnet up --kafka localhost:$(KAFKA_PORT)

KAFKA_PORT ?= 9092
kafka: .venv/.run build/kafka/.jars ## a Kafka broker on localhost:9092 (KAFKA_PORT=...), until Ctrl-C; needs Java 17 and Maven
	@echo "Kafka on localhost:$(KAFKA_PORT), kept in build/kafka/$(KAFKA_PORT); Ctrl-C ends it"
	@$(BIN)/python -m ops.broker build/kafka/lib build/kafka/$(KAFKA_PORT) $(KAFKA_PORT)

evidently: build/evidently/.made ## an environment for `driftnet report --with evidently` (0.5 GB)
build/evidently/.made:
	$(PYTHON) -m venv build/evidently
	build/evidently/bin/python -m pip -q install 'evidently==0.7.23' 'pandas<3.1' pyarrow
	@touch $@

build/kafka/.jars: pom.xml
	@command -v java >/dev/null || { echo "make kafka needs Java 17 or later"; exit 1; }
	@command -v mvn >/dev/null || { echo "make kafka needs Maven"; exit 1; }
	rm -rf build/kafka/lib
	mvn -q -B dependency:copy-dependencies -DoutputDirectory=build/kafka/lib
	@touch $@

test: .venv/.dev ## fast tests
	$(BIN)/python -m pytest -m "not slow"

test-slow: .venv/.dev ## kills, whole replays, real data
	$(BIN)/python -m pytest -m slow

check: .venv/.dev ## lint, format, types, spelling, house rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --explicit-package-bases $(ROOMS)
	$(BIN)/codespell --skip '*/target,*/logs,*/__pycache__' $(SOURCES) README.md
	@if LC_ALL=C grep -rnIP '[^\x00-\x7F]' --exclude-dir=target --exclude-dir=logs \
	    --exclude-dir=__pycache__ $(SOURCES); then echo "source is ASCII only"; exit 1; fi
	@if [ -f .sqlfluff ]; then echo $(BIN)/sqlfluff lint; \
	    DRIFTNET_HOME=build/lint $(BIN)/sqlfluff lint --disable-progress-bar -q dbt_project/models; fi
	$(BIN)/python -m pytest tests/house

bench: .venv/.dev ## measure speed; writes reports/benchmarks.md (PARTS=...)
	$(BIN)/python -m tests.bench $(PARTS)

soak: .venv/.dev ## half an hour of kills under load, and one without; writes reports/benchmarks.md (PARTS=soak, calm)
	$(BIN)/python -m tests.soak $(PARTS)

study: .venv/.dev ## long trials of the statistics; writes reports/study.md (PARTS=...)
	$(BIN)/python -m tests.study $(PARTS)

UV_COMPILE := uv pip compile --quiet pyproject.toml --universal --python-version 3.11 --generate-hashes \
    --no-strip-extras --no-header
pins: ## pin the requirements anew (needs uv)
	$(UV_COMPILE) --all-extras -o requirements/dev.txt
	$(UV_COMPILE) $(addprefix --extra ,model gate alert kafka api watch schedule) \
	    -c requirements/dev.txt -o requirements/run.txt

clean: ## remove what is made, except .venv and data
	rm -rf build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	rm -rf dbt_project/target dbt_project/logs
	find $(ROOMS) -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment: two stamps, one for running and one for developing.
.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	    "Driftnet needs Python 3.11 or later: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.run: requirements/run.txt pyproject.toml | .venv/.made
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps -e .
	@touch $@

.venv/.dev: requirements/dev.txt requirements/run.txt pyproject.toml | .venv/.made
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --no-deps -e .
	@touch .venv/.run $@
