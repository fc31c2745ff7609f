# Targets say what they do in the comment behind ##; `make help` prints them.

GO          ?= go
TAGS        := invariants
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 10s
BENCHTIME   ?= 200ms
BENCH       ?= .
ARGS        ?=

# The packages whose tests a real Kafka, OpenSearch or MariaDB make longer.
INTEGRATION := ./connectors/kafka ./connectors/opensearch ./state/broker ./cmd/millrace ./runtime/sqltest/difftest
# Where the race detector looks: all that has goroutines, and what they share.
RACE        := ./sql/vector/... ./sql/expr/... ./planner/... ./state/... ./connectors/... ./runtime/...

.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## bin/millrace
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/millrace ./cmd/millrace

.PHONY: run
run: build ## the taxi pipeline on the embedded broker, until Ctrl-C; ARGS="--until 20s" for other ends
	bin/millrace run examples/taxi/pipeline.sql $(ARGS)

.PHONY: test
test: build ## all tests that need no server; the SQL of the examples and of README.md
	$(GO) test -tags $(TAGS) -timeout 8m ./...
	bin/millrace test examples
	awk '/^```sql$$/ {f = 1; next} /^```/ {f = 0} f' README.md | bin/millrace check -
	bin/millrace check examples/taxi/pipeline.sql

.PHONY: integration
integration: build ## the tests that need a real Kafka, OpenSearch and MariaDB; starts and stops them
	.ci/integration $(INTEGRATION)

.PHONY: check
check: ## format, vet, staticcheck, house rules, modules
	@unformatted=$$(gofmt -l cmd connectors planner runtime sql state) && \
	  if [ -n "$$unformatted" ]; then echo "gofmt wants to change:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags $(TAGS) ./...
	$(if $(STATICCHECK),$(GO) run $(STATICCHECK) -tags $(TAGS) ./...)
	$(GO) run ./cmd/tidy
	$(GO) mod verify
	$(GO) mod tidy -diff

.PHONY: golden
golden: ## rewrite the expected results of all tests; read the diff before you commit it
	$(GO) test -tags $(TAGS) $$(grep -rlE '"rewrite"|cockroachdb/datadriven' --include='*_test.go' . | xargs -n1 dirname | sort -u) -rewrite

.PHONY: race
race: ## tests under the race detector
	$(GO) test -race -short -tags $(TAGS) -timeout 20m $(RACE)

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (10s)
	@grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sort | while IFS=: read -r file func; do \
	  echo "== $$(dirname $$file) $${func#func }"; \
	  $(GO) test -tags $(TAGS) -run '^$$' -fuzz "^$${func#func }\$$" -fuzztime $(FUZZTIME) "$$(dirname $$file)" </dev/null || exit 1; \
	done

.PHONY: bench
bench: ## benchmarks, BENCHTIME (200ms) each; BENCH=regexp chooses
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem \
	  $$(grep -rlE --include='*_test.go' '^func Benchmark' . | xargs -n1 dirname | sort -u)

.PHONY: docs
docs: ## rewrite the generated references
	$(GO) test ./connectors/all ./sql/function ./sql/parser -run 'Reference|TypesPage|Statements' -rewrite

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf bin
	$(GO) clean -testcache
