# Everything a newcomer needs is `make run` and `make test`; `make` lists the rest.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run build page test test-page test-go test-mutations test-browser screenshots measure e2e soak lint bench setup clean

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# The same for every build, so that the program, vet and the proofs share what
# they compile.
export GOFLAGS := -trimpath
GO_BUILD := go build -ldflags '-s -w -X main.version=$(VERSION)'
MODULES := web/node_modules/.package-lock.json
PAGE := web/dist/index.html
PAGE_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -path web/dist-sdk -prune -o -path web/e2e -prune -o \
	-type f \( -name '*.ts' -o -name '*.svelte' -o -name '*.html' -o -name '*.css' -o -name '*.svg' -o -name '*.json' -o -name '*.webmanifest' -o -name '*.png' \) -print)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: build ## build everything and start on 127.0.0.1:8080, with data in data/
	@exec bin/fechatter

build: page ## build the one binary, page included: bin/fechatter
	@mkdir -p bin
	$(GO_BUILD) -o bin/fechatter .

page: $(PAGE) ## build the browser page into web/dist

# npm writes node_modules/.package-lock.json last: it is the stamp.
$(MODULES): web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund
	@touch $@

# .gitkeep is committed, so that the Go package compiles without a built page.
$(PAGE): $(MODULES) $(PAGE_SOURCES)
	cd web && npm run build
	@touch web/dist/.gitkeep $@

# The last two wait and compute in turns: side by side they take hardly longer.
test: setup test-page test-go ## set up everything and run every test
	@$(MAKE) --no-print-directory -j2 --output-sync=line test-mutations test-browser
	@echo "make test: all passed"

setup: ## install the Debian packages that the tests need, if root and missing
	@scripts/setup.sh

test-page: $(MODULES) ## tests and type check of the page
	cd web && npm test
	cd web && npm run check

# The race detector does not look into SQLite, translated from C, and Argon2id:
# each computes in one goroutine, and watching that took a third of the time.
RACE := -race $(patsubst %,-gcflags=%=-race=false,modernc.org/sqlite/lib modernc.org/libc golang.org/x/crypto/argon2)

# Many of these tests wait for real servers: more of them than cores run at once.
test-go: build ## vet and test the Go packages, with the race detector
	go vet ./...
	go test $(RACE) -vet=off -p 3 -parallel 6 ./...

test-mutations: build ## break each promise by its build tag and see its test fail
	@scripts/mutations.sh mutations.txt

test-browser: build ## drive the binary with a real browser
	cd web && npm run e2e

screenshots: build ## the pictures of the README, made with a real browser: look at them
	cd web && npm run screenshots

measure: build ## measure the page in a real browser: load, switching of chats, a long history
	cd web && npm run --silent measure

e2e: page ## the short scenarios on several nodes, as test-go has them: SEED=1 to repeat one
	go test -count=1 -v ./e2e -seed $(SEED)

ifndef SEED
SEED := $(shell shuf -i 1-1000000 -n 1)
endif
DURATION ?= 10m

soak: page ## long scenarios, then faults drawn by lot: SEED=1 DURATION=10m
	@echo "soak: SEED=$(SEED) DURATION=$(DURATION)"
	FECHATTER_ALL_SCENARIOS=1 go test -count=1 -timeout 0 -v ./e2e -seed $(SEED) -soak $(DURATION)

lint: page ## golangci-lint over both modules and helm over the chart, both built from tools/
	@mkdir -p bin
	cd tools && go build -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	bin/golangci-lint run ./...
	cd bench && ../bin/golangci-lint run ./...
	cd tools/helm && go build -o ../../bin/helm helm.sh/helm/v4/cmd/helm
	go test -count=1 -run Chart ./deploy

bench: page ## Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

clean: ## remove what was built; data/ stays
	rm -rf bin web/node_modules
	find web/dist -mindepth 1 ! -name .gitkeep -delete
