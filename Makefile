# SPDX-License-Identifier: Apache-2.0
# The front door. Everything is built by CMake and Ninja (CMakePresets.json);
# these targets install what they need, build, and run.
#
#   make            programs into bin/
#   make demo       the whole product at work, on this machine; KEEP=1 leaves
#                   it running, dashboard and all, until you end it
#   make test       the whole test suite
#   make help       the rest

INSTALL := sh packaging/install-packages.sh
JOBS    := $(shell nproc 2>/dev/null || echo 2)

.DEFAULT_GOAL := build
.PHONY: build demo demo-stop test test-long size bench bench-delta lint \
	format coverage install dist packages-build packages-test clean help

packages-build:
	@$(INSTALL) build

packages-test:
	@$(INSTALL) build test

build: packages-build
	@cmake --preset release >/dev/null
	@cmake --build --preset release -j $(JOBS)

demo: build
	@KEEP=$(KEEP) examples/demo/demo.sh

demo-stop:
	@examples/demo/demo.sh --stop

test: packages-test
	@tests/run.sh

test-long: packages-test
	@$(INSTALL) size long
	@tests/run.sh --long

size:
	@$(INSTALL) build size
	@tests/size.sh

bench:
	@$(INSTALL) build test bench size
	@cmake --preset bench >/dev/null
	@cmake --build --preset bench -j $(JOBS)
	@bench/run.sh

bench-delta: build
	@$(INSTALL) bench size
	@bench/run.sh delta --check
	@bench/run.sh delta-in-place --check
	@bench/run.sh delta-cost --check

lint: packages-test
	@tests/lint.sh

format: packages-test
	@git ls-files '*.c' '*.h' | xargs clang-format -i

coverage: packages-test
	@$(INSTALL) coverage
	@tests/coverage.sh

# PREFIX and DESTDIR as usual.
install: build
	@DESTDIR=$(DESTDIR) cmake --install build/release \
		--prefix $(or $(PREFIX),/usr/local)

# .deb packages into dist/.
dist: packages-build
	@$(INSTALL) dist
	@packaging/dist.sh

clean:
	rm -rf build bin dist

help:
	@echo 'make            build; the programs are left in bin/'
	@echo 'make demo       the product at work: server, dashboard, 532 devices, good and bad'
	@echo '                releases; KEEP=1: running until you end it'
	@echo 'make demo-stop  stop what the demo left running'
	@echo 'make test       the whole test suite'
	@echo 'make test-long  and the slow part: every power cut, fuzzing, soak'
	@echo 'make size       flash and stack of the device core, per module'
	@echo 'make bench      measurements beside the peers'
	@echo 'make bench-delta  sizes of deltas beside bsdiff, xdelta3 and zstd'
	@echo 'make lint       clang-tidy'
	@echo 'make format     clang-format'
	@echo 'make coverage   which lines the tests reach'
	@echo 'make dist       Debian packages into dist/'
	@echo 'make install    PREFIX=/usr/local, DESTDIR='
