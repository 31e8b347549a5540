# What each target needs is set up the first time, and again when its lock in requirements/ has changed.
PORT ?= 8000
ARGS ?=
PYTHON ?=
FORCE ?=
STAGE ?= dev
ARCH ?=
FROM ?=
export PYTHON FORCE

.PHONY: help setup run demo-partners test check previous audit bench package deploy rollback manage undeploy clean
.DEFAULT_GOAL := help

help:
	@awk -F ' *:.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

setup: ## set up Python packages for all the targets (they do it themselves when needed)
	@sh scripts/setup.sh dev

run: ## run Quartermaster at http://127.0.0.1:8000 until Ctrl-C (PORT=8001, ARGS=--no-demo)
	@sh scripts/setup.sh local
	@exec .venv/bin/python manage.py run --port "$(PORT)" $(ARGS)

demo-partners: ## beside `make run`: a warehouse and a delivery service fulfil orders of the demo (PORT=8001)
	@sh scripts/setup.sh dev
	@exec .venv/bin/python -m scripts.demo_partners --port "$(PORT)"

test: ## run the tests (ARGS="-k stock" chooses some)
	@sh scripts/setup.sh dev
	@.venv/bin/python -m pytest $(ARGS)

check: ## run the linters, the type checker and the checks of the architecture and the migrations
	@sh scripts/setup.sh dev
	@.venv/bin/python scripts/check.py

previous: ## run the tests of the release before on the schema of now (ARGS="--release v1.2")
	@sh scripts/setup.sh dev
	@.venv/bin/python -m scripts.previous $(ARGS)

audit: ## ask what is known against the locked packages, and scan the code
	@sh scripts/setup.sh dev
	@.venv/bin/python -m scripts.audit

bench: ## measure what is promised to be fast
	@sh scripts/setup.sh dev
	@.venv/bin/python -m bench $(ARGS)

package: ## make the archive that AWS Lambda runs (STAGE=production, ARCH=arm64 or x86_64)
	@sh scripts/setup.sh dev
	@.venv/bin/python -m infra.package --stage "$(STAGE)" $(if $(ARCH),--architecture "$(ARCH)")

deploy: ## bring a stage to AWS, or up to date there (STAGE=dev, FROM=api to begin there, ARGS=--dry-run)
	@sh scripts/setup.sh dev
	@.venv/bin/python -m infra deploy --stage "$(STAGE)" $(if $(FROM),--from "$(FROM)") $(ARGS)

rollback: ## give a stage the code of the release before (STAGE=dev)
	@sh scripts/setup.sh dev
	@.venv/bin/python -m infra rollback --stage "$(STAGE)" $(ARGS)

manage: ## run a command of manage.py on a stage (STAGE=dev, ARGS=verify)
	@sh scripts/setup.sh dev
	@.venv/bin/python -m infra manage --stage "$(STAGE)" $(ARGS)

undeploy: ## after asking, take a stage's functions and API away; its data stay (STAGE=dev)
	@sh scripts/setup.sh dev
	@.venv/bin/python -m infra undeploy --stage "$(STAGE)" $(ARGS)

clean: ## remove .venv and the caches, and, after asking or with FORCE=1, the local database and files
	@sh scripts/clean.sh
