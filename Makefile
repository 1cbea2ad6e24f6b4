# The commands of README.rst. Each makes what it needs: a virtual environment in $(VENV) with keraflow installed
# from this folder, so that changes of the sources count at once. pip runs again only when setup.cfg or the pins change.
#
#   EXTRAS=all          the backends in it beside the one of NumPy, which is part of keraflow: theano, tensorflow, jax,
#                       several of them ("tensorflow jax"), all (theano and tensorflow) or none; none is the default of
#                       `make demo` and `make test-quick`
#   VENV=.venv          where the environment is made; .venv-none by default if it has no other backend
#   PYTHON=python3.11   the interpreter it is made with
#   PINS=               the ranges of setup.cfg instead of the releases that the tests have passed with
#   WORKERS=2           how many processes share the tests
#   PYTEST_ARGS=...     arguments for pytest, for example PYTEST_ARGS="--backend theano tests/backend"
#   PEERS_ARGS=...      arguments for benchmarks/peers.py, for example PEERS_ARGS="--batch 32 128 512"
#   TORTURE=50          how many times as many trials `make torture` makes
#   RELEASE_TESTS=...   which tests `make release-check` runs: tests/null, or none to run them all
#   BROWSER=chromium    what `make site-check` opens pages in
#   DIST=dist           where `make release-check` leaves what it built
EXTRAS ?= $(if $(filter-out demo test-quick test-alone,$(or $(MAKECMDGOALS),help)),all,none)
VENV ?= .venv$(if $(filter none,$(EXTRAS)),-none)
PIP_FLAGS ?= -q
WORKERS ?= 2
PYTEST_ARGS ?=
PEERS_ARGS ?=
TORTURE ?= 50
RELEASE_TESTS ?= tests/null
DIST ?= dist
BROWSER ?= chromium

# The extras of setup.cfg and, by their names, the backends: what the tests require is what is installed.
LIBRARIES := $(filter-out none,$(EXTRAS))
BACKENDS = $(if $(filter all,$(EXTRAS)),theano tensorflow,$(LIBRARIES)) numpy
export KERAFLOW_TEST_BACKENDS ?= $(BACKENDS)

# Theano-PyMC runs on Python 3.10 and 3.11, all else on newer ones, too. The first of these interpreters that works and
# can make environments (a version manager may leave a python3.11 on the path that only prints an error) is taken.
NEEDS_OLD := $(filter all theano,$(EXTRAS))
INTERPRETERS := $(if $(NEEDS_OLD),,python3.13 python3.12) python3.11 python3.10 python3
SUITABLE = import ensurepip, sys, venv; sys.exit(not (3, 10) <= sys.version_info[:2] $(if $(NEEDS_OLD),<= (3, 11)))
ifndef PYTHON
PYTHON := $(shell for one in $(INTERPRETERS); do \
	if $$one -c '$(SUITABLE)' >/dev/null 2>&1; then echo $$one; break; fi; done)
endif

comma := ,
empty :=
space := $(empty) $(empty)

RUN := $(VENV)/bin/python
PACKAGING := setup.cfg setup.py pyproject.toml

# Each pair of a minor version of Python and extras that is tested has a file with the release of every package.
VERSION := $(shell $(or $(wildcard $(RUN)),$(PYTHON),false) -c \
	'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
PINS_FILE := pins/$(VERSION)-$(subst $(space),-,$(strip $(EXTRAS))).txt
PINS ?= $(wildcard $(PINS_FILE))
RELEASES := $(if $(PINS),the releases of $(PINS),the newest releases that setup.cfg allows$(if \
	$(wildcard $(PINS_FILE)),, (there is no $(PINS_FILE))))
# pip hands the variables on to the environments in which it builds packages: the tools of these are pinned as well.
INSTALL := $(if $(PINS),PIP_CONSTRAINT=$(PINS) PIP_BUILD_CONSTRAINT=$(PINS)) \
	$(RUN) -m pip install --disable-pip-version-check $(PIP_FLAGS) --editable

.PHONY: help demo test test-quick test-alone torture site-check coverage lint stubs schema bench bench-peers newest differences pins freeze release-check clean

help:
	@echo 'make demo           learn handwritten digits with NumPy alone, save, and reload in a second process;'
	@echo '                    with EXTRAS=all on TensorFlow, reloaded under every other backend'
	@echo 'make test           all tests on every backend'
	@echo 'make test-quick     all tests that NumPy alone can run: two or three minutes'
	@echo 'make test-alone     what must run where no other packages are installed than keraflow needs (and pytest)'
	@echo 'make torture        random searches that take long, and all tests of Theano with C code, as users run it'
	@echo 'make site-check     pages that keraflow makes, in Chromium, which must be installed'
	@echo 'make coverage       all tests, and which lines and branches they run'
	@echo 'make lint           style, order of imports, types'
	@echo 'make stubs          write the stubs for type checkers anew, after a change of the contract of backends'
	@echo 'make schema         write the JSON Schema of architectures anew, after a change of classes or their arguments'
	@echo 'make bench          the benchmarks, on every backend'
	@echo 'make bench-peers    keraflow against Keras on TensorFlow, JAX and PyTorch, which it installs apart'
	@echo 'make newest         all tests with the newest releases of all packages, and which differ from the pins'
	@echo 'make pins           pin the releases that "make newest" passed with'
	@echo 'make release-check  build the distributions of a release, and test what is in them'
	@echo 'make clean          remove the environments and everything else that was made'

demo: $(VENV)/.has-keraflow
	$(RUN) examples/digits_mlp.py

test: $(VENV)/.has-test
	$(RUN) -m pytest --numprocesses $(WORKERS) $(PYTEST_ARGS)

test-quick: $(VENV)/.has-test
	$(RUN) -m pytest --numprocesses $(WORKERS) --backend numpy $(PYTEST_ARGS)

test-alone: $(VENV)/.has-pytest
	$(RUN) -m pytest tests/alone $(PYTEST_ARGS)

torture: $(VENV)/.has-test
	$(RUN) -m pytest --numprocesses $(WORKERS) --torture $(TORTURE) $(PYTEST_ARGS)
	$(if $(filter theano,$(BACKENDS)),KERAFLOW_TEST_THEANO_MODE=default \
		$(RUN) -m pytest --numprocesses $(WORKERS) --backend theano $(PYTEST_ARGS))

# Apart from the other tests, because it needs a browser: on Debian, the package chromium.
site-check: $(VENV)/.has-test
	$(RUN) -m pytest --browser $(BROWSER) tests/browser

# Shown, not demanded: what a line does is for a test to say.
coverage: $(VENV)/.has-test
	$(RUN) -m pytest --numprocesses $(WORKERS) --cov --cov-report term $(PYTEST_ARGS)

lint: $(VENV)/.has-test
	@status=0; $(RUN) -m flake8 . || status=1; $(RUN) -m isort --check --diff --quiet . || status=1; \
		$(RUN) -m mypy || status=1; exit $$status

stubs: $(VENV)/.has-test
	$(RUN) tools/stubs.py

schema: $(VENV)/.has-test
	$(RUN) -m keraflow schema --output docs/architecture.schema.json --overwrite

# Those of other environments, and of GPUs, are run by themselves.
BENCHMARKS = $(filter-out benchmarks/peers.py benchmarks/gpu.py,$(sort $(wildcard benchmarks/[a-z]*.py)))
bench: $(VENV)/.has-test
	@set -e; for file in $(BENCHMARKS); do for backend in $(BACKENDS); do \
		echo "== $$file on $$backend"; KERAFLOW_BACKEND=$$backend $(RUN) $$file; done; done

bench-peers: $(VENV)/.has-test
	$(RUN) benchmarks/peers.py $(PEERS_ARGS)

# An environment of its own, made anew each time. What broke the tests is among the packages that differ.
NEWEST := $(VENV)-newest
newest:
	rm -rf $(NEWEST)
	@status=0; $(MAKE) test VENV=$(NEWEST) PINS= && echo $(EXTRAS) > $(NEWEST)/.passed || status=$$?; \
		$(MAKE) --no-print-directory differences VENV=$(NEWEST); exit $$status

# pip itself comes with the interpreter, and keraflow is this folder.
FREEZE := $(RUN) -m pip freeze --disable-pip-version-check --all --exclude-editable --exclude pip
differences:
	@echo '== the packages in $(VENV) (>) that differ from $(PINS_FILE) (<):'
	@$(FREEZE) | diff $(or $(wildcard $(PINS_FILE)),/dev/null) - | grep '^[<>]' || echo 'none'

pins:
	@test -e $(NEWEST)/.passed || { echo 'First "make newest": only what passes the tests is pinned.' >&2; exit 1; }
	@$(MAKE) --no-print-directory freeze VENV=$(NEWEST) EXTRAS="$$(cat $(NEWEST)/.passed)"
freeze:
	@mkdir -p pins
	$(FREEZE) > $(PINS_FILE)

release-check: $(VENV)/.has-test
	$(RUN) tools/release_check.py --out $(DIST) --numprocesses $(WORKERS) $(RELEASE_TESTS)

clean:
	rm -rf $(VENV) $(NEWEST) .venv .venv-none .venv-none-newest .venv-peers build dist *.egg-info .coverage .pytest_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One file for each state of the environment, newer than the packaging files and pins when that state is up to date.
# $(call install,EXTRAS,PACKAGES,WORDS,SIZE): keraflow from this folder with its backends, other extras and packages;
# the size is that of the download without backends.
with_extras = $(if $(strip $(1)),[$(subst $(space),$(comma),$(strip $(1)))])
define install
	@echo 'Installing keraflow$(if $(LIBRARIES), with its backends)$(3) in $(VENV), $(RELEASES)' \
		'(the first time this downloads about $(if $(LIBRARIES),1 GB,$(4))) ...'
	@$(INSTALL) '.$(call with_extras,$(LIBRARIES) $(1))' $(2)
	@touch $@ $(VENV)/.has-keraflow
endef

$(VENV)/.has-keraflow: $(PACKAGING) $(PINS) | $(RUN)
	$(call install,,,,25 MB)

$(VENV)/.has-pytest: $(PACKAGING) $(PINS) | $(RUN)
	$(call install,,pytest, and pytest,25 MB)

$(VENV)/.has-test: $(PACKAGING) $(PINS) | $(RUN)
	$(call install,examples test $(if $(filter jax,$(LIBRARIES)),test_jax),, and test tools,150 MB)

NEEDED := $(if $(NEEDS_OLD),Python 3.10 or 3.11 with the module venv$(comma) which Theano-PyMC needs,Python 3.10 or newer \
	with the module venv)
define ADVICE
$(if $(NEEDS_OLD),Or do without Theano on any Python from 3.10:
    make $(MAKECMDGOALS) PYTHON=$(or $(PYTHON),python3) EXTRAS=tensorflow)
endef
define NO_PYTHON
None of $(INTERPRETERS) is $(NEEDED).
Install one (on Debian: python3.11 and python3.11-venv) or name one:  make $(MAKECMDGOALS) PYTHON=/path/to/python3.11
$(ADVICE)
endef
define WRONG_PYTHON
$(PYTHON) is not $(NEEDED). Name another one:
    make $(MAKECMDGOALS) PYTHON=/path/to/python3.11
$(ADVICE)
endef
export NO_PYTHON WRONG_PYTHON

$(RUN):
	@if [ -z '$(PYTHON)' ]; then printf '%s\n' "$$NO_PYTHON" >&2; exit 1; fi
	@'$(PYTHON)' -c '$(SUITABLE)' || { printf '%s\n' "$$WRONG_PYTHON" >&2; exit 1; }
	'$(PYTHON)' -m venv $(VENV)
