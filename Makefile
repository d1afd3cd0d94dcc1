# make chat   sets everything up and opens the conversation in the terminal
# make test   sets everything up and runs every test
#
# Set-up lives in .venv, talks to standard error and never reads standard input, so that lines can be piped in.

.DEFAULT_GOAL := help
.PHONY: help chat test lint docs bench bench-storage bench-faults bench-discord bench-slack \
	bench-understanding bench-titles bench-ml-1m bench-ml-1m-ablation bench-ml-1m-candidates bench-data bench-ml-32m-shape bench-metrics bench-training-speed bench-starter-peers peers learn \
	train-starter clean
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; \
	done)
# The extra that holds onnxruntime: `make chat RUNTIME=gpu` on a machine with CUDA.
RUNTIME ?= cpu
# Where the MovieLens folders lie: `make train-starter DATA=…`; with it `make bench` measures reasons on real histories.
DATA ?=
# So many titles by chance instead of all: `make bench-titles SAMPLE=5000`.
SAMPLE ?=
# How many tests run beside each other; those of one file run in turn.
JOBS ?= 2
# Which seeds `make bench-ml-1m` trains, such as `SEEDS="0 1"`; those that are finished count in any case.
SEEDS ?=
# Which folds `make bench-starter-peers` trains, such as `FOLDS="0 1"`; those that are finished count in any case.
FOLDS ?=

help:
	@sed -n 's/^# make/make/p' Makefile
	@echo 'make lint   style, types, import contracts, Dockerfile and generated docs'
	@echo 'make docs   writes the generated parts of README.md and docs/ anew'
	@echo 'make bench  every budget beside what it is here (benchmarks/results/engine.json)'
	@echo 'make bench-understanding [INSPIRED=…]  how well what people say is understood (understanding.json)'
	@echo 'make bench-titles [SAMPLE=…]  every title of a unique name in a sentence, and how fast titles are read (titles.json)'
	@echo 'make learn  learns anew, from examples, what sentences are about'
	@echo 'make train-starter DATA=…  trains, examines and writes the bundle that ships'
	@echo 'make bench-data DATA=…     prepares 32 million made-up ratings (data.json)'
	@echo 'make bench-ml-32m-shape DATA=…  an epoch of training at the size of MovieLens 32M (ml-32m-shape.json)'
	@echo 'make bench-metrics         our figures beside those of RecTools, in an environment of its own (metrics.json)'
	@echo 'make bench-training-speed DATA=…  our training beside RecTools and RePlay (training-speed.json)'
	@echo 'make bench-starter-peers DATA=…   RecTools and RePlay on the starter bundle'"'"'s protocol (starter.json)'
	@echo 'make bench-ml-1m DATA=…    trains and examines the recipe for MovieLens 1M, in the folder DATA'

chat: $(VENV)/.chat
	@exec $(BIN)/nextreel chat

test: $(VENV)/.dev
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m 'not alone'
	@$(BIN)/python -m pytest -m alone

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile
	PATH="$(BIN):$$PATH" $(BIN)/cog --check README.md docs/*.md

docs: $(VENV)/.dev
	$(BIN)/python -m docs.generate
	PATH="$(BIN):$$PATH" $(BIN)/cog -r README.md docs/*.md

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.engine $(if $(DATA),--data "$(DATA)/ml-latest-small")

bench-storage: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.storage

bench-faults: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.faults

bench-discord: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.discord

bench-slack: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.slack

bench-understanding: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.understanding $(if $(INSPIRED),--inspired "$(INSPIRED)")

bench-titles: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.titles $(if $(SAMPLE),--sample $(SAMPLE))

learn: $(VENV)/.dev
	@$(BIN)/python -m bot.evaluating.teaching

bench-ml-1m bench-ml-1m-ablation bench-ml-1m-candidates: $(VENV)/.dev
	@test -n "$(DATA)" || { echo 'Say where MovieLens 1M is: make $@ DATA=path' >&2; exit 2; }
	@$(BIN)/python -m benchmarks.ml_1m --data "$(DATA)" $(if $(SEEDS),--seeds $(SEEDS)) $(if $(findstring ablation,$@),--ablation) \
		$(if $(findstring candidates,$@),--candidates)

bench-data: $(VENV)/.dev
	@test -n "$(DATA)" || { echo 'Say where the MovieLens folders are: make bench-data DATA=path' >&2; exit 2; }
	@$(BIN)/python -m benchmarks.data --data "$(DATA)"

bench-ml-32m-shape: $(VENV)/.dev
	@test -n "$(DATA)" || { echo 'Say where the MovieLens folders are: make bench-ml-32m-shape DATA=path' >&2; exit 2; }
	@$(BIN)/python -m benchmarks.ml_32m_shape --data "$(DATA)"

PEERS := checkpoints/peers

peers: $(PEERS)/rectools/.made $(PEERS)/replay/.made

$(PEERS)/%/.made: $(VENV)/bin/python benchmarks/peers/%.txt benchmarks/peers/%-constraints.txt
	@echo 'Installing $*, which is measured beside ours (once, some minutes) …' >&2
	@$(PYTHON) -m venv --clear $(@D) </dev/null >&2
	@$(@D)/bin/python -m pip install -q --disable-pip-version-check -r benchmarks/peers/$*.txt </dev/null >&2
	@touch $@

bench-metrics: $(VENV)/.dev $(PEERS)/rectools/.made
	@$(BIN)/python -m benchmarks.peers.metrics --python $(PEERS)/rectools/bin/python

bench-training-speed: $(VENV)/.dev peers
	@test -n "$(DATA)" || { echo 'Say where MovieLens 1M is: make bench-training-speed DATA=path' >&2; exit 2; }
	@$(BIN)/python -m benchmarks.peers.training --data "$(DATA)"

bench-starter-peers: $(VENV)/.dev peers
	@test -n "$(DATA)" || { echo 'Say where the MovieLens folders are: make bench-starter-peers DATA=path' >&2; exit 2; }
	@$(BIN)/python -m benchmarks.peers.starter --data "$(DATA)" $(if $(FOLDS),--folds $(FOLDS))

train-starter: $(VENV)/.dev
	@test -n "$(DATA)" || { echo 'Say where the MovieLens folders are: make train-starter DATA=path' >&2; exit 2; }
	@$(BIN)/python -m benchmarks.starter --data "$(DATA)"

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo 'Nextreel needs Python 3.11 or newer, and none was found.' >&2; exit 1; }
	@echo 'Making $(VENV) with $(PYTHON) …' >&2
	@$(PYTHON) -m venv $(VENV) </dev/null >&2 || { rm -rf $(VENV); \
		echo 'The virtual environment could not be made; on Debian and Ubuntu, install python3-venv.' >&2; exit 1; }

$(VENV)/.chat: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo 'Installing Nextreel (once, about a minute) …' >&2
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[$(RUNTIME)]' </dev/null >&2
	@touch $@

$(VENV)/.dev: $(VENV)/.chat
	@echo 'Installing what tests and training need (once, some minutes) …' >&2
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[$(RUNTIME),postgres,train,dev]' </dev/null >&2
	@touch $@
