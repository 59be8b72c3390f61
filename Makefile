# Everything a person needs is `make demo` and `make test`; both make what they need by themselves.
# Paths are relative on purpose: the folder may have any name.

PYTHON ?=
ARGS ?=
IMAGE ?= semseg
FLAVORS ?= cpu cu112
RUN := .venv/bin/python
REQUIREMENTS := docker/requirements

.PHONY: help demo test lint bench bench-serving audit image test-image venv lock
.DEFAULT_GOAL := help

help:
	@echo 'make demo    train on drawn shapes, serve the model, ask it, look at build/demo/result.png'
	@echo 'make test    run the tests (ARGS="-k name" or ARGS="-m '"'not slow'"'" to choose)'
	@echo 'make lint    formatting, style, types, and which package may import which'
	@echo 'make bench   speed and quality next to plain GluonCV (README, Results)'
	@echo 'make bench-serving  latency, throughput and memory of serving next to GluonCV, ONNX Runtime and OpenVINO'
	@echo 'make image   build the Docker image (FLAVORS="cpu cu112", ARGS="--build-arg BACKBONES=none")'
	@echo 'make test-image  train and serve with the image that make image has built'
	@echo 'make audit   look the pinned dependencies up among the known vulnerabilities'
	@echo 'make venv    only make .venv, from the pinned lock'
	@echo 'make lock    pin the dependencies anew (ARGS=--upgrade for newer ones)'
	@echo
	@echo 'Python 3.11 is looked for on the PATH; PYTHON=/path/to/python3.11 points at another.'

demo: .venv/ready
	@$(RUN) -u -m scripts.demo $(ARGS)

test: .venv/ready .venv-clients/ready
	@$(RUN) -m pytest $(ARGS)

lint: .venv/ready
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy
	@.venv/bin/lint-imports

bench: .venv/ready
	@$(RUN) -u -m scripts.benchmarks $(ARGS)

bench-serving: .venv/ready .venv-bench/ready
	@$(RUN) -u -m scripts.benchmarks.serving $(ARGS)

audit: .venv/ready
	@$(RUN) -m scripts.audit $(ARGS)

image:
	@IMAGE='$(IMAGE)' FLAVORS='$(FLAVORS)' scripts/build-image $(ARGS)

test-image: .venv/ready .venv-clients/ready
	@SEMSEG_IMAGES='$(FLAVORS:%=$(IMAGE):%)' $(RUN) -m pytest tests/container $(ARGS)

venv: .venv/ready

lock: .venv/ready
	@scripts/make-lock $(ARGS)

.venv/ready: $(REQUIREMENTS)-test.txt pyproject.toml scripts/make-venv
	@PYTHON='$(PYTHON)' scripts/make-venv .venv $(REQUIREMENTS)-test.txt --with-project

# The real AWS clients want a newer numpy than MXNet can live with: they have a place of their own.
.venv-clients/ready: tests/clients/requirements.txt scripts/make-venv
	@PYTHON='$(PYTHON)' scripts/make-venv .venv-clients tests/clients/requirements.txt

# As have those that serving is compared with.
.venv-bench/ready: scripts/benchmarks/requirements.txt scripts/make-venv
	@PYTHON='$(PYTHON)' scripts/make-venv .venv-bench scripts/benchmarks/requirements.txt
