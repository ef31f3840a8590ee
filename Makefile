# Everything a newcomer needs is `make run` and `make test`; `make` lists the rest.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run build page check test setup test-page test-go test-browser prove proofs prove-race prove-mutations prove-scenarios prove-fuzz \
	prove-reproducible flakes screenshots measure e2e soak lint audit release bench clean

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# The same for every build, so that the program, vet and the proofs share what
# they compile.
export GOFLAGS := -trimpath
GO_BUILD := go build -ldflags '-s -w -X main.version=$(VERSION)'
MODULES := web/node_modules/.package-lock.json
PAGE := web/dist/index.html
BILLS := tools/npm/node_modules/.package-lock.json
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

check: $(MODULES) page lint ## a minute before each commit: format, vet, lint, unit tests
	@test -z "$$(gofmt -l $$(git ls-files '*.go') | tee /dev/stderr)" || { echo "make check: gofmt -w these" >&2; exit 1; }
	go vet ./...
	go test -short -vet=off ./...
	cd web && npm run --silent check && npm test --silent
	@echo "make check: all passed"

test: setup test-page test-go test-browser ## set up everything and run every test
	@echo "make test: all passed"

PROOFS := prove-race prove-mutations prove-scenarios prove-fuzz prove-reproducible audit

prove: setup $(PROOFS) ## look for races, break each rule, run the long scenarios, fuzz, build twice
	@echo "make prove: all proved"

proofs: # their names, for who runs them one by one
	@echo $(PROOFS)

setup: ## install the Debian packages that the tests need, if root and missing
	@scripts/setup.sh

test-page: $(MODULES) ## tests and type check of the page
	cd web && npm test
	cd web && npm run check

# Many of these tests wait for real servers: more of them than cores run at once. Where idle
# connections are not parked, as on anything but Linux, the same tests hold.
AT_ONCE := -p 3 -parallel 6

# A real S3 server, for the tests of files.
S3 := bin/versitygw

$(S3): tools/versitygw/go.mod tools/versitygw/go.sum
	@mkdir -p bin
	cd tools/versitygw && go build -ldflags '-s -w' -o ../../$@ github.com/versity/versitygw/cmd/versitygw

test-go: build $(S3) ## vet and test the Go packages
	go vet ./...
	go test -vet=off $(AT_ONCE) ./...
	go test -tags portable -vet=off ./hub
	go test -tags portable -vet=off -run 'WebSocket|Sends|Drain|Close|Stream' ./server
	cd bench && go test ./...

test-browser: build ## drive the binary with a real browser
	cd web && npm run e2e

prove-mutations: build $(S3) ## break each rule by an edit and see its test fail
	go run ./prove mutations.txt

# The race detector does not look into SQLite, translated from C, and Argon2id:
# each computes in one goroutine, and watching that took a third of the time.
RACE := -race $(patsubst %,-gcflags=%=-race=false,modernc.org/sqlite/lib modernc.org/libc golang.org/x/crypto/argon2)

# The others run the program as processes of their own, which it would not watch.
RACED := $(addprefix ./,app bus chat client conform/client door files hub indexer jobs persistence presence security server signin timeline)

prove-race: page $(S3) ## the Go packages once more, with the race detector
	go test $(RACE) -vet=off $(AT_ONCE) $(RACED)

prove-scenarios: page ## the long scenarios and the plans of a million messages, left out by test-go
	FECHATTER_ALL_SCENARIOS=1 go test -count=1 -timeout 30m ./e2e
	FECHATTER_ALL_SCENARIOS=1 go test -count=1 -run TestPlansPostgres ./persistence

prove-fuzz: $(MODULES) ## fuzz every target for FUZZ_TIME
	@scripts/fuzz.sh $(FUZZ_TIME)

prove-reproducible: $(MODULES) $(BILLS) ## release from two folders, and compare every byte
	FECHATTER_ALL_SCENARIOS=1 go test -count=1 -timeout 30m -run TestReleaseIsReproducible -v ./release

flakes: build ## N whole runs while something else keeps every core busy
	@scripts/flakes.sh $(N)

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
FUZZ_TIME ?= 30s
N ?= 5

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

audit: $(MODULES) ## ask for known vulnerabilities, where there is a network
	@scripts/audit.sh

# npm writes node_modules/.package-lock.json last: it is the stamp.
$(BILLS): tools/npm/package.json tools/npm/package-lock.json
	cd tools/npm && npm ci --no-audit --no-fund
	@touch $@

release: page $(BILLS) audit ## archives, checksums and bills of materials: VERSION=v1.2.3 SIGN_KEY=~/.ssh/id_ed25519
	go run ./release -version $(VERSION) $(if $(SIGN_KEY),-key $(SIGN_KEY))

bench: page ## Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

clean: ## remove what was built; data/ stays
	rm -rf bin web/node_modules
	find web/dist -mindepth 1 ! -name .gitkeep -delete
