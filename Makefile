# Each target is a script in scripts/; a script can be called without make.
.PHONY: run test check format lock translate bench

run: ## environment, database, a demo tenant, the server
	@scripts/run

test: ## lint, types, import contracts, all tests on SQLite and PostgreSQL
	@scripts/test

check: ## lint, types, import contracts
	@scripts/check

format: ## mend what ruff can mend
	@scripts/venv dev
	@.venv/bin/python -m ruff check --fix .
	@.venv/bin/python -m ruff format .

lock: ## pin the dependencies of pyproject.toml
	@scripts/lock

translate: ## collect the texts of the pages, and compile their German
	@scripts/translate

bench: ## how the cost of one change grows with the size of the store
	@scripts/venv bench
	@.venv/bin/python -m bench.growth
