# What there is to do here: `make help`.

PYTHON ?= python3
VENV := $(CURDIR)/target/emulator-venv
API_VENV := $(CURDIR)/target/api-venv
VENV_PYTHON := $(VENV)/bin/python
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
DEMO := PYTHONPATH="$(CURDIR)/tests/emulator" "$(VENV_PYTHON)" -m demo --rescind "$(TARGET)/debug/rescind"

# Where the Rust integration tests find the Python of the emulated organization.
export RESCIND_EMULATOR_PYTHON := $(VENV_PYTHON)

.PHONY: help demo demo-ha demo-up test browser-test console-test api-test console-pictures deployment-test policy-test docs-test instructions bench deny sbom package docs soak fuzz build emulator clean-demo
.NOTPARALLEL:

help:
	@echo 'make demo        the main job, step by step, against an emulated AWS organization'
	@echo 'make demo-ha     three hosts, of which the one that acts dies in the middle of it: half a minute'
	@echo 'make demo-up     the same organization with the theft in progress, and a console where you answer it'
	@echo 'make test        all checks and tests'
	@echo 'make browser-test   a large HTML report in headless Chromium, on the PATH or at RESCIND_CHROMIUM'
	@echo 'make console-test  the console in Chromium, with axe-core; needs node and npm'
	@echo 'make console-pictures  the pictures of docs/console, made again; needs pngquant as well'
	@echo 'make api-test    the API against its own document, and nonsense to every route: two minutes'
	@echo 'make deployment-test  the templates, modules, unit and package scripts in policies/deployment'
	@echo 'make policy-test the policies, judged by an evaluator that is not ours; needs node and npm'
	@echo 'make instructions  how much work decoding, deciding and appending are (valgrind), against what is kept'
	@echo 'make bench       how long a thief goes on, and speed: an hour and a half. BENCH=--quick: half an hour, without'
	@echo '                 the slowest IAM; BENCH="--quick --only containment": a part of it'
	@echo 'make package     deb, rpm, wheel, tarball, image and SBOM, each tested in a clean root, in target/dist:'
	@echo '                 all that this machine can make; it lists what is missing. PACKAGE="--only deb": a part'
	@echo 'make docs        the documentation as a book (mdBook)'
	@echo 'make soak        kills, torn writes and full disks at every step: many rounds, some 15 minutes'
	@echo 'make fuzz        finding decoding, the verifier and the configuration: SECONDS=60 for each, after a long build'
	@echo 'make build       the binary (debug profile): target/debug/rescind'
	@echo 'make emulator    only the Python environment of the emulated organization'
	@echo 'make clean-demo  removes what the demo left in demo-out/'
	@echo
	@echo 'All set-up is done on the way, and needs the network only the first time.'
	@echo 'Needed: Rust, a C compiler, Python 3.10 or later with venv. AWS is never called.'

demo: ready
	@$(DEMO)

demo-ha: ready
	@$(DEMO) --hosts

demo-up: ready
	@$(DEMO) --up

clean-demo:
	rm -rf demo-out

emulator: python
	@"$(PYTHON)" -I tests/emulator/demo/prepare.py "$(VENV)"

.PHONY: toolchain python ready
python:
	@command -v "$(PYTHON)" >/dev/null || { echo 'Python 3.10 or later is needed: $(PYTHON) is not there.' >&2; exit 1; }

toolchain:
	@command -v cargo >/dev/null || { echo 'Rust is needed: cargo is not there. See https://rustup.rs' >&2; exit 1; }
	@command -v cc >/dev/null || { echo 'A C compiler is needed: cc is not there. On Debian and Ubuntu: apt install gcc' >&2; exit 1; }

# The debug profile: it is built much faster, and does the same.
build: toolchain
	@echo 'Building rescind (debug profile; some minutes the first time) ...'
	@cargo build --locked

# Both at once: the one waits for the network, the other for the processor.
ready: toolchain python
	@echo 'Building rescind (debug profile; some minutes the first time) ...'
	@"$(PYTHON)" -I tests/emulator/demo/prepare.py "$(VENV)" & python=$$!; cargo build --locked; built=$$?; wait $$python && exit $$built

# $(call stage,NAME,COMMAND): says what is run, and what failed.
define stage
	@printf '\n==> %s\n' '$(1)'
	@$(2) || { printf '\nmake test: FAILED at: %s\n' '$(1)' >&2; exit 1; }
endef

# Most of a test is waiting, for the emulated AWS and for pauses of rescind's own: twice as many at once as cores
# are busy.
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
# Each of them has an emulator of its own, forked from one that is started.
WITH_EMULATORS := "$(VENV_PYTHON)" tests/emulator/forkserver.py
RUST_TESTS := if cargo nextest --version >/dev/null 2>&1; then $(WITH_EMULATORS) cargo nextest run --locked --test-threads $(shell expr 4 '*' $(CORES)); else $(WITH_EMULATORS) cargo test --locked; fi

test: toolchain
	$(call stage,set-up of the emulated organization,$(MAKE) --no-print-directory emulator)
	$(call stage,format,cargo fmt --all --check)
	$(call stage,lints,cargo clippy --locked --all-targets -- -D warnings)
	$(call stage,build,cargo build --locked)
	$(call stage,Rust tests,{ $(RUST_TESTS); })
	$(call stage,the report in a browser,if command -v chromium >/dev/null; then $(MAKE) --no-print-directory browser-test; else echo 'NOT RUN: there is no Chromium (Debian: apt install chromium)'; fi)
	$(call stage,the console in a browser,if command -v npm >/dev/null && command -v chromium >/dev/null; then $(MAKE) --no-print-directory console-test; else echo 'NOT RUN: there is no npm or no Chromium (Debian: apt install npm chromium)'; fi)
	$(call stage,the API against its document,$(MAKE) --no-print-directory api-test)
	$(call stage,documentation,$(MAKE) --no-print-directory docs-test)
	$(call stage,deployment templates,$(MAKE) --no-print-directory deployment-test)
	$(call stage,policies in another evaluator,if command -v npm >/dev/null; then $(MAKE) --no-print-directory policy-test; else echo 'NOT RUN: there is no npm'; fi)
	$(call stage,instruction counts,if command -v valgrind >/dev/null; then $(MAKE) --no-print-directory instructions; else echo 'NOT RUN: there is no valgrind'; fi)
	$(call stage,licences and sources of dependencies,if cargo deny --version >/dev/null 2>&1; then $(MAKE) --no-print-directory deny; else echo 'NOT RUN: there is no cargo-deny'; fi)
	$(call stage,tests of the emulated organization,"$(VENV_PYTHON)" -m unittest discover -s tests/emulator/tests -t tests/emulator)
	$(call stage,demo,$(DEMO) --quiet --out "$(CURDIR)/target/demo")
	$(call stage,demo of several hosts,$(DEMO) --hosts --quiet --out "$(CURDIR)/target/demo-ha")
	@printf '\nmake test: all passed\n'

# Part of `make test` where there is a browser. By itself it fails without one.
browser-test: toolchain
	cargo test --locked --test it -- --ignored a_browser_shows

# Playwright drives the Chromium that is there: it downloads none. Its pictures are in target/console.
console-test: emulator build
	@cd tests/console && npm ci --ignore-scripts --no-audit --no-fund && RESCIND_BINARY="$(TARGET)/debug/rescind" npm test

# What the test of the demo's people sees on its way, in few colours.
console-pictures: emulator build
	@command -v pngquant >/dev/null || { echo 'pngquant is needed. On Debian and Ubuntu: apt install pngquant' >&2; exit 1; }
	@cd tests/console && npm ci --ignore-scripts --no-audit --no-fund && RESCIND_BINARY="$(TARGET)/debug/rescind" node --test demo.test.mjs
	@pngquant --force --strip --speed 1 --nofs --ext .png 64 target/console/pages/*.png
	@rm -f docs/console/*.png && cp target/console/pages/*.png docs/console/

# Schemathesis has a Python environment of its own.
api-test: emulator build
	@"$(PYTHON)" -I tests/emulator/demo/prepare.py "$(API_VENV)" tests/api/requirements.txt
	@"$(API_VENV)/bin/python" -B tests/api/run.py "$(TARGET)/debug/rescind" "$(VENV_PYTHON)"

# The quick start, command by command; every other command, by what the binary knows; every link.
docs-test: emulator build
	@"$(PYTHON)" -m unittest discover -s tests/docs -p '*.py'

deployment-test:
	@"$(PYTHON)" tests/deployment/run.py

# How much work decoding, deciding and appending are, against benches/instructions/kept.json.
instructions: toolchain
	@"$(PYTHON)" benches/instructions

# With a file lock of its own: npm takes no other version than that.
policy-test:
	@cd tests/policies && npm ci --ignore-scripts --no-audit --no-fund && npm test

# Advisories need the network: `cargo deny check` has them as well.
deny:
	cargo deny --all-features check bans licenses sources

# What is in the binary; a part of `make package`.
sbom: PACKAGE := --only sbom
sbom: package

# One release build for each of two targets. docs/install.md; policies/deployment/package/__main__.py has the options.
PACKAGE ?=
package: toolchain
	@"$(PYTHON)" -B policies/deployment/package $(PACKAGE)

docs:
	mdbook build docs

# Figures of the whole program: how long a thief goes on, in the emulated organization, and speed, against a stub of AWS.
# An hour and a half on a quiet machine. docs/containment.md, docs/performance.md.
BENCH ?= --charts docs/performance
bench: toolchain emulator
	cargo build --release --locked
	"$(PYTHON)" benches/driver --binary "$(TARGET)/release/rescind" --emulator-python "$(VENV_PYTHON)" $(BENCH)

# The long form of what `make test` only samples.
soak: toolchain emulator build
	@if cargo nextest --version >/dev/null 2>&1; \
	then RESCIND_SOAK=1 $(WITH_EMULATORS) cargo nextest run --locked --profile soak starve:: histories:: model:: containment:: soak::; \
	else for tests in starve:: histories:: model:: containment:: soak::; do RESCIND_SOAK=1 $(WITH_EMULATORS) cargo test --locked --test it $$tests || exit 1; done; fi

SECONDS ?= 60
FUZZ_TARGETS := finding verifier config

# SQLite is linked into the library and the target, which AddressSanitizer would take for a mistake.
fuzz: toolchain
	@cargo fuzz --version >/dev/null 2>&1 || { echo 'cargo-fuzz is needed: cargo install cargo-fuzz' >&2; exit 1; }
	@rustup toolchain list 2>/dev/null | grep -q nightly || { echo 'A nightly Rust is needed: rustup toolchain install nightly' >&2; exit 1; }
	@for target in $(FUZZ_TARGETS); do \
	    echo "==> $$target, $(SECONDS) s"; \
	    mkdir -p "$(TARGET)/fuzz-corpus/$$target"; \
	    ASAN_OPTIONS=detect_odr_violation=0 cargo +nightly fuzz run $$target "$(TARGET)/fuzz-corpus/$$target" fuzz/corpus/$$target -- -max_total_time=$(SECONDS) -rss_limit_mb=4096 || exit 1; \
	done
