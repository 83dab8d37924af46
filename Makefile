# Kefu's commands; deploy/bootstrap.py does the work and needs nothing but Python 3.11, 3.12 or 3.13.
PYTHON ?= python3

.PHONY: help run test models install bench bench-start bench-guardrails bench-knowledge bench-understanding bench-generation bench-rooms screenshots password clean
help:
	@echo "make run          install what is missing, start Kefu on a free port, ask sample questions, stay up"
	@echo "make test         install what is missing, run all checks and tests"
	@echo "make bench        latency and throughput, from websocket to websocket"
	@echo "make bench-start  seconds of five warm starts"
	@echo "make bench-guardrails KEFU_BENCH_DATA=DIR   what the guards must hold, in one table (ONLY='pii cost': sections)"
	@echo "make bench-knowledge KEFU_BENCH_DATA=DIR    what search, answers, files, radar and size must hold, in tables"
	@echo "make bench-understanding KEFU_BENCH_DATA=DIR  intents, moods and follow-ups, in tables"
	@echo "make bench-generation  engines behind an API: stops, crowds, failures, long input, repetition"
	@echo "make bench-rooms  seconds of every staff page with 10,000 conversations and 5,000 chunks"
	@echo "make screenshots  a picture of every room, into docs/"
	@echo "make models       prepare the models that are missing (ALL=1: the small language model, too)"
	@echo "make install      install the packages and nothing else"
	@echo "make password NAME=admin   set a new password of a staff account"
	@echo "make clean        remove .venv, models and caches; never var, which holds data and keys"

run:
	@$(PYTHON) -m deploy.bootstrap run

test:
	@$(PYTHON) -m deploy.bootstrap test

models:
	@$(PYTHON) -m deploy.bootstrap models $(if $(ALL),--all)

install:
	@$(PYTHON) -m deploy.bootstrap install

bench: models
	@.venv/bin/python -m bench.chat

bench-start: models
	@.venv/bin/python -m bench.start

bench-guardrails: models
	@KEFU_BENCH_DATA="$(KEFU_BENCH_DATA)" .venv/bin/python -m bench.guardrails $(if $(ONLY),--only $(ONLY))

bench-knowledge: models
	@status=0; for bench in knowledge answers "parsing broken" radar gaps scale; do \
		echo "== bench.$$bench"; KEFU_BENCH_DATA="$(KEFU_BENCH_DATA)" .venv/bin/python -m bench.$$bench || status=1; \
	done; exit $$status

bench-understanding: models
	@status=0; for bench in intents sentiment; do \
		echo "== bench.$$bench"; .venv/bin/python -m bench.$$bench --data "$(KEFU_BENCH_DATA)" || status=1; \
	done; exit $$status

bench-generation: models
	@.venv/bin/python -m bench.generation

bench-rooms: models
	@.venv/bin/python -m bench.rooms

screenshots: models
	@.venv/bin/python -m bench.screens

password:
	@.venv/bin/python manage.py changepassword $(NAME)

clean:
	rm -rf .venv models .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
