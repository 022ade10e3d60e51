# Orbit. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
# One package more at a time than there are processors: some mostly wait for other programs.
PACKAGES := $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))
GOLANGCI := go tool -modfile=tools/go.mod golangci-lint

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.PHONY: run
run: build ## build and start Orbit with a private PostgreSQL; prints the address
	@scripts/install-tools.sh run
	@bin/orbit serve

.PHONY: demo
demo: build ## start Orbit with a small mail provider beside it, ready to try
	@scripts/install-tools.sh run
	@bin/orbit demo

.PHONY: build
build: ## build bin/orbit
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/orbit ./cmd/orbit

.PHONY: test
test: ## everything that must hold, with the race detector, against real servers
	@scripts/install-tools.sh test
	go test -race -p $(PACKAGES) -timeout 15m ./...

.PHONY: lint
lint: ## gofmt, vet, the rules of .golangci.yml, and generated files are fresh
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "Run gofmt on:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	$(GOLANGCI) run ./...
	@scripts/check-generated.sh

.PHONY: generate
generate: ## write the generated files (templ)
	go tool templ generate

.PHONY: vendor
vendor: ## fetch the browser's files (Tabler, htmx, icons) again from npm
	scripts/vendor-static.sh

.PHONY: soak
soak: ## the long runs: kill, load and leak tests at full length
	@scripts/install-tools.sh test
	ORBIT_SOAK=1 go test -timeout 3h ./...

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (30s)
	@scripts/fuzz.sh $(or $(FUZZTIME),30s)

.PHONY: bench
bench: ## measure pages, start-up, memory at rest and the transport
	@scripts/install-tools.sh test
	go test -run '^$$' -bench . -benchtime 2s ./...

.PHONY: bench-proxy
bench-proxy: ## the proxy beside a direct connection, with real Dovecot
	@scripts/install-tools.sh test
	ORBIT_BENCH_PROXY=1 go test -run TestProxyBesideDirect -v -timeout 30m ./internal/mail/proxy

.PHONY: bench-notify
bench-notify: ## 20,000 notifications beside Postfix relaying as many, a list of a million messages, and how long they wait
	@scripts/install-tools.sh test
	ORBIT_BENCH_MESSAGES=20000 go test -run '^$$' -bench 'BesidePostfix' -benchtime 1x -timeout 30m ./internal/app
	go test -run '^$$' -bench 'Wait' -benchtime 1x -timeout 30m ./internal/notify
	ORBIT_BENCH_ROWS=1000000 go test -run TestEveryFilterOfTheListUsesAnIndex -v -timeout 30m ./internal/notify
