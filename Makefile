# The two commands: make run, make test. All others are listed by make help.
PYTHON ?= python3
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup run reset test lint fmt bench faults lock clean setup-tests

help: ## 列出命令 what there is
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

setup: ## 建立环境 make the environment; then .venv/bin/sheka
	@$(PYTHON) tools/make_environment.py

run: setup ## 运行演示世界 run the demo world (Ctrl-C stops it)
	@$(BIN)/sheka world run

reset: ## 清除演示数据 clear the demo world's data
	@$(BIN)/sheka world reset

setup-tests:
	@tools/setup_tests.sh
	@$(PYTHON) tools/make_environment.py --tests --pcsc

test: setup-tests ## 全部测试 the whole suite
	@$(BIN)/pytest -n auto --dist worksteal --requirements=docs/requirements.md

lint: ## 检查代码 ruff, import rules, scope, types
	@$(PYTHON) tools/make_environment.py --tests
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/lint-imports
	@$(BIN)/python tools/check_scope.py
	@$(BIN)/mypy

fmt: ## 整理代码 format the code
	@$(PYTHON) tools/make_environment.py --tests
	@$(BIN)/ruff check --quiet --fix . || true
	@$(BIN)/ruff format --quiet .

bench: ## 测量性能 every bench, as JSON
	@$(PYTHON) tools/make_environment.py --tests
	@$(BIN)/sheka bench all --json

faults: ## 故障演练 every fault of the switch under load, 20 times
	@$(PYTHON) tools/make_environment.py --tests
	@$(BIN)/sheka bench faults --times 20 --json

lock: ## 更新锁定 compile requirements/*.in
	@PYTHON=$(PYTHON) tools/lock.sh

clean: ## 删除可重建的文件 remove what can be made again, not var/
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis src/*.egg-info
	@rm -rf src/sheka/faces/console/frontend/node_modules src/sheka/faces/console/static/console/build src/sheka/office/documents/papers/fonts
	@find src tests bench tools -name __pycache__ -type d -exec rm -rf {} +
	@find src -name '*.mo' -delete
