# make setup [DISTRO=jazzy|kilted] [PYTHON=python3.12]; the other targets call it first.
SHELL := /bin/bash
.SHELLFLAGS := -eo pipefail -c
.DEFAULT_GOAL := help

DISTRO ?= jazzy
export DISTRO
IN_ENV := source ./env.sh &&
PYTEST := python -m pytest

.PHONY: help setup test lint demo doctor clean

help:
	@echo "make setup    virtual environment, packages and messages (DISTRO=$(DISTRO))"
	@echo "make test     all tests; ARGS='-m \"not slow\"' for the fast ones"
	@echo "make lint     ruff and mypy"
	@echo "make demo     the cell and its four nodes do their tasks (about two minutes)"
	@echo "make doctor   what is installed, missing, running"
	@echo "make clean    removes what setup and builds made; keeps data, runs and models"

setup:
	@scripts/setup.sh

test: setup
	@$(IN_ENV) $(PYTEST) $(ARGS)

lint: setup
	@$(IN_ENV) ruff check dva_ros test docs launch scripts setup.py
	@$(IN_ENV) mypy

demo: setup
	@$(IN_ENV) python -m dva_ros demo $(ARGS)

doctor: setup
	@$(IN_ENV) python -m dva_ros doctor $(ARGS)

clean:
	rm -rf .venv .venv-* build install log .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
