# Targets with a ## comment are shown by `make help`.

GO    ?= go
TOOLS := $(GO) tool -modfile=tools/go.mod

.PHONY: help
help: ## Show this help
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Run the demo until Ctrl-C
	$(GO) run ./cmd/app demo

.PHONY: test
test: ## Run the tests, on a private Postgres
	$(GO) test ./...

.PHONY: race
race: ## Run the tests under the race detector
	$(GO) test -race ./...

.PHONY: postgres
postgres: ## Run the tests on each PostgreSQL of BINS="/usr/lib/postgresql/14/bin …"
	@test -n "$(BINS)" || { echo 'which? make postgres BINS="/usr/lib/postgresql/14/bin …"'; exit 2; }
	@set -e; for bin in $(BINS); do "$$bin/postgres" --version; PATH="$$bin:$$PATH" $(GO) test -count=1 ./...; done

.PHONY: mutants
mutants: ## Show that torture fails if a line of the protocol is left out
	$(GO) test ./torture -v -timeout 20m -full -run TestMutants

.PHONY: torture
torture: ## Attack the program at random, for FOR=10m, by SEED=42
	$(GO) test ./torture -v -timeout 0 -run Chaos -for $(or $(FOR),10m) $(if $(SEED),-seed $(SEED))

.PHONY: bench
bench: ## Print what claimsync costs and how fast it is, beside what one would do instead
	$(GO) run ./cmd/bench speed

.PHONY: benchmarks
benchmarks: ## Run the Go benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: bounds
bounds: ## Print the bounds about Clerk, what time changes, and the size of tables
	$(GO) run ./cmd/bench clerk --rounds 3
	$(GO) run ./cmd/bench stale --rounds 3
	$(GO) run ./cmd/bench housekeeping

.PHONY: generate
generate: ## Generate db/dbsqlc from queries/ and db/migrations/
	$(TOOLS) sqlc generate

.PHONY: verify
verify: ## Check formatting, vet, lint, generated code, modules and known vulnerabilities
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(TOOLS) staticcheck ./...
	$(TOOLS) sqlc diff
	$(GO) mod tidy -diff
	$(GO) mod verify
	@GO=$(GO) tools/vulncheck
