# make demo    install, and classify a sample article
# make test    install, and run every check but the slow ones
# make slow    install, Ray included, and run the slow tests
# make docs    install, and build the documentation into site/
# make fuzz    install, and feed the readers with broken input for a minute
# make train   rebuild the default model from the corpora in the folder STANCE_DATA
# make dist    build sdist and wheel into dist/, the same bytes from the same commit
# make evaluate   measure the default model, and fill in every figure that is quoted; ARGS=--out-of-fold
# make figures    fill in the figures from the last evaluation
# make reproduce  rebuild the default model, and compare its figures with those that are quoted
# make browser   install what the tests of the page need on Debian: Chromium (as root), and axe-core into .axe
# make pictures  install, and make the pictures of the documentation; needs the browser; ARGS="spacy terminal": some
# make clean   remove what the others made, except trained models
#
# Each works in an empty clone with Python 3.11; another one: make demo PYTHON=/path/to/python

PYTHON ?= python3.11
VENV := .venv
RUN := $(VENV)/bin/python
INSTALL = $(RUN) -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt
CONFIG ?= configs/default.yaml
FUZZ_SECONDS ?= 60

.PHONY: demo test slow docs fuzz dist train evaluate figures reproduce browser pictures clean
.NOTPARALLEL:

demo: $(VENV)/demo.stamp
	$(RUN) -m stance classify --format table examples/daily-brief.txt

test: export HF_HUB_OFFLINE = 1
test: $(VENV)/test.stamp
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(RUN) -m pytest --quiet -m "not slow"

slow: export HF_HUB_OFFLINE = 1
slow: $(VENV)/slow.stamp
	$(RUN) -m pytest --quiet -m slow

docs: export NO_MKDOCS_2_WARNING = 1
docs: $(VENV)/test.stamp
	$(RUN) -m mkdocs build --quiet

fuzz: $(VENV)/fuzz.stamp
	$(RUN) -m fuzz.run $(FUZZ_SECONDS)

dist: $(VENV)/test.stamp
	$(RUN) -m tools.dist

evaluate: export HF_HUB_OFFLINE = 1
evaluate: $(VENV)/test.stamp
	$(RUN) -m tools.report $(ARGS)

figures: $(VENV)/test.stamp
	$(RUN) -m tools.figures

# Memory that a step has given back to the system must be cleared anew for the next: training keeps it.
train reproduce: export MALLOC_MMAP_MAX_ = 0
train reproduce: export MALLOC_TRIM_THRESHOLD_ = 100000000000
train reproduce: export GLIBC_TUNABLES = glibc.malloc.hugetlb=1

reproduce: $(VENV)/train.stamp
	$(RUN) -m tools.reproduce $(ARGS)

train: $(VENV)/train.stamp
	@test -n "$(STANCE_DATA)" || { echo "set STANCE_DATA to the folder of the corpora; see docs/training.md" >&2; exit 2; }
	$(RUN) -m training.train $(CONFIG)

browser:
	-test -f .axe/node_modules/axe-core/axe.min.js || npm install --prefix .axe --no-audit --no-fund axe-core@4.14.1
	command -v chromium || { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y chromium; }

pictures: export HF_HUB_OFFLINE = 1
pictures: $(VENV)/test.stamp
	$(RUN) -m tools.pictures $(ARGS)

clean:
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .axe

# A stamp tells what is installed; a change of the dependencies makes it out of date.
$(VENV)/demo.stamp: EXTRA := [web]
$(VENV)/test.stamp: EXTRA := [test]
$(VENV)/slow.stamp: EXTRA := [test,ray]
$(VENV)/train.stamp: EXTRA := [train]
$(VENV)/fuzz.stamp: EXTRA := [fuzz]
$(VENV)/%.stamp: pyproject.toml constraints.txt | $(RUN)
	@echo "Installing stance$(EXTRA) into $(VENV); the first time takes some minutes"
	$(INSTALL) --editable ".$(EXTRA)"
	@touch $@

$(RUN):
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
