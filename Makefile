# Every target runs on a fresh machine: uv is fetched if it is missing, and brings Python and the packages.

UV := $(shell command -v uv || echo .uv/bin/uv)
RUN := $(UV) run --no-sync

# Settings such as a real installation has, for the checks that read them and connect to nothing.
SETTINGS := VAR_DIR=var/checks ALLOWED_HOSTS=dashboard.example AMILI_CLIENT_ID=checks AMILI_CLIENT_SECRET=checks \
	SECRET_KEY=only-for-the-checks-and-as-long-as-a-real-secret-key-is \
	DATABASE_URL=postgresql://nobody@127.0.0.1:9/none REDIS_URL=redis://127.0.0.1:9/0

# Two at a time, since no machine has fewer cores, each with its output in one piece.
TOGETHER := $(MAKE) --no-print-directory --jobs=2 --output-sync=target

WHOLE := tests/browser tests/faults

.PHONY: help up test parts whole bench format lint types arrows vendor chromium ready

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 12

up: ready ## run everything on this machine, until Ctrl-C
	@exec $(RUN) python manage.py up

test: ready chromium ## every check there is
	@$(TOGETHER) lint types arrows
	@$(TOGETHER) whole parts

whole: ready ## the tests of the whole stack, in a real browser and while parts of it fail
	$(RUN) python -m pytest $(WHOLE)

parts: ready ## the tests of its parts, on real PostgreSQL and Valkey
	$(RUN) python -m pytest $(addprefix --ignore=,$(WHOLE))

bench: ready ## measure speed, as ratios against baselines of the same run
	$(RUN) python -m benchmarks

format: ready ## put code and templates into their form
	$(RUN) ruff format
	$(RUN) ruff check --fix
	$(RUN) djlint templates --reformat --quiet

lint: ready ## form and habits of code and templates
	$(RUN) ruff format --check
	$(RUN) ruff check
	$(RUN) djlint templates --lint --check

types: ready ## types, by mypy
	$(SETTINGS) $(RUN) mypy

arrows: ready ## who may import whom
	$(SETTINGS) $(RUN) lint-imports

vendor: ready ## fetch the browser's files that others wrote, with npm
	$(RUN) python .ci/vendor.py

chromium: ## install the browser of the tests, if there is none
	@for name in chromium chromium-browser google-chrome; do ! command -v $$name >/dev/null || exit 0; done; \
	! ls "$${PLAYWRIGHT_BROWSERS_PATH:-$$HOME/.cache/ms-playwright}"/chromium* >/dev/null 2>&1 || exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; \
	then apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; \
	else echo "The tests need a browser: install the package chromium, or run: uv run playwright install chromium" >&2; exit 1; fi

ready: $(UV)
	@$(UV) sync --locked --quiet

.uv/bin/uv:
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	&& apt-get update -qq && apt-get install -qq -y --no-install-recommends python3-venv; } \
	|| { echo "uv is missing, and there is no python3 with venv to fetch it with: install either." >&2; exit 1; }
	@python3 -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv
