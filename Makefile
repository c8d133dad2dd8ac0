# `make` lists the targets. Everything here works from a fresh clone with Go and, for the real clients, Debian.

GO         ?= go
FUZZTIME   ?= 60s
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.DEFAULT_GOAL := help
.PHONY: help build test race bench fuzz interop oracle mutants lint golden clients fixtures

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-9s %s\n", $$1, $$2}'

build: ## build the command into bin/gmsasim
	$(GO) build -trimpath -o bin/gmsasim ./cmd/gmsasim

test: clients ## all unit, scenario and core client tests, shuffled
	$(GO) vet ./...
	$(GO) test -shuffle=on ./...
	cd internal/pacoracle && $(GO) test -shuffle=on ./...
	cd internal/kubeoracle && $(GO) test -shuffle=on ./...
	cd internal/composeoracle && $(GO) test -shuffle=on ./...

race: ## the same three times under the race detector
	$(GO) test -race -shuffle=on -count=3 ./...

bench: ## benchmarks, with MIT, slapd and Samba in the same run where they are installed
	.ci/peers.sh
	$(GO) run ./internal/bench
	$(GO) test -run '^$$' -bench . -benchmem ./...

fuzz: ## every fuzz target for FUZZTIME (60s)
	.ci/fuzz.sh $(FUZZTIME)

interop: clients ## real Kerberos and LDAP clients against gmsasim up; prints a table
	$(GO) test -tags interop -count=1 -timeout 20m -v ./internal/interop/...

oracle: clients ## the same operations against gmsasim and a Samba 4.22 domain controller, compared
	$(GO) test -tags oracle -count=1 -timeout 40m -v ./internal/oracle/...

mutants: ## every decision function answers always yes and always no; a table of what notices
	$(GO) run ./internal/mutants

fixtures: ## what check reports of public credential specs and manifests (../shared) and of our own, as a table
	$(GO) test -count=1 -run 'TestSharedFixtures$$|TestOwnFiles$$' -v ./simulator/check | grep -v -E '^ *(===|---) '

lint: ## gofmt, go vet, staticcheck
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

golden: ## rewrite golden files and show what changed
	$(GO) test ./scenarios ./cmd/gmsasim ./simulator ./fakeads ./internal/doctest ./doctor -update
	git diff --stat

clients: ## install the real clients from Debian when root and missing
	.ci/clients.sh
