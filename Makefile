# make setup [DISTRO=jazzy|kilted] [PYTHON=python3.12]; the other targets call it first.
SHELL := /bin/bash
.SHELLFLAGS := -eo pipefail -c
.DEFAULT_GOAL := help

DISTRO ?= jazzy
export DISTRO
IN_ENV := source ./env.sh &&
PYTEST := python -m pytest
LINTED := dva_ros test docs launch scripts setup.py

.PHONY: help setup test check lint demo doctor docs gpu clean

help:
	@echo "make setup    virtual environment, packages and messages (DISTRO=$(DISTRO))"
	@echo "make test     all tests; ARGS='-m \"not slow\"' for the fast ones"
	@echo "make check    ruff, mypy and the fast tests without ROS, in less than two minutes"
	@echo "make lint     ruff and mypy"
	@echo "make demo     the cell and its four nodes do their tasks (about two minutes)"
	@echo "make doctor   what is installed, missing, running"
	@echo "make docs     the documentation with the API, as pages in build/site"
	@echo "make gpu      ten minutes on a computer with a GPU: parity, bench, a recipe"
	@echo "make clean    removes what setup and builds made; keeps data, runs and models"

setup:
	@scripts/setup.sh

test: setup
	@$(IN_ENV) $(PYTEST) $(ARGS)

# Everything that is neither slow nor needs ROS, in one process a core.
check: lint
	@$(IN_ENV) $(PYTEST) -q -n auto -m "not slow and not ros" $(ARGS)

lint: setup
	@$(IN_ENV) ruff check $(LINTED)
	@$(IN_ENV) ruff format --check --quiet $(LINTED)
	@$(IN_ENV) mypy

demo: setup
	@$(IN_ENV) python -m dva_ros demo $(ARGS)

doctor: setup
	@$(IN_ENV) python -m dva_ros doctor $(ARGS)

docs: setup
	@scripts/docs.sh

# The CPU build of PyTorch that an earlier set-up may have installed is replaced.
gpu: export TORCH = cuda
gpu: setup
	@$(IN_ENV) python -m dva_ros gpu $(ARGS)

clean:
	rm -rf .venv .venv-* build install log .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
