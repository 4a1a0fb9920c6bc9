SQLC := CGO_ENABLED=0 go tool -modfile=tools/go.mod sqlc
VULN := go tool -modfile=$(CURDIR)/tools/vuln/go.mod govulncheck
LINT := go tool -modfile=$(CURDIR)/tools/lint/go.mod golangci-lint run

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: ## Import a small record file twice and show the reports
	@examples/demo.sh

.PHONY: test
test: ## Run all tests on SQLite and on a real MySQL server (needs Docker, or TTPSTORE_TEST_MYSQL_DSN)
	go test -race -timeout 60m ./...
	cd integration && go test -race -timeout 2h ./...
	cd bench && go test -timeout 30m .
	cd tools/attackbuiltin && go test ./...
	cd otelttp && go test -race -timeout 30m .

.PHONY: test-engines
test-engines: ## Run the suite on every engine, or on ENGINES, and print a table (needs Docker)
	cd integration && go run ./testengines $(ENGINES)

.PHONY: faults
faults: SHELL := bash
faults: ## Kill processes and servers, cut connections and fill a disk; docs/faults.md has the results
	set -o pipefail; cd integration && TTPSTORE_FAULT_ROUNDS=50 go test -timeout 2h -v \
		-run 'Cut|Conflicts|Killed|ReadOnlyServer|Failover|FullDisk|ShareAFile|MigrateAtOnce' . | grep -E '\| |FAIL|SKIP|ok'

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME, 60s by default
	FUZZTIME=$(FUZZTIME) tools/fuzz.sh

.PHONY: build
build: ## Build the command line tool into bin/
	go build -o bin/ttpstore ./cmd/ttpstore

.PHONY: generate
generate: ## Generate db/ from sql/
	$(SQLC) generate

.PHONY: docs
docs: ## Write docs/commands.md, and the man pages into bin/man
	go run ./cmd/ttpstore docs docs/commands.md bin/man

.PHONY: verify
verify: ## Check that db/ and docs/ are up to date, the SQL follows the rules and the modules are tidy
	$(SQLC) diff
	$(SQLC) vet
	go test ./sql
	go test ./cmd/ttpstore -run 'TestReferenceIsUpToDate|TestQuestions|TestREADMECommandsRun'
	go mod tidy -diff
	cd integration && go mod tidy -diff
	cd bench && go mod tidy -diff
	cd tools/attackbuiltin && go mod tidy -diff
	cd otelttp && go mod tidy -diff

.PHONY: lint
lint: ## Run go vet, gofmt and the linters
	go vet ./...
	cd integration && go vet ./...
	cd bench && go vet ./...
	cd tools/attackbuiltin && go vet ./...
	cd otelttp && go vet ./...
	$(LINT) ./...
	cd integration && $(LINT) ./...
	cd bench && $(LINT) ./...
	cd tools/attackbuiltin && $(LINT) ./...
	cd otelttp && $(LINT) ./...

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities in the code that the programs call, if vuln.go.dev is reachable
	@if curl -sfo /dev/null --max-time 20 https://vuln.go.dev/index/db.json; then \
		$(VULN) ./... && cd otelttp && $(VULN) ./...; \
	else \
		echo "vuln.go.dev does not answer: nothing was checked"; \
	fi

.PHONY: bench
bench: ## Compare with GORM, bun, C SQLite and handwritten SQL; print tables and write bench/*/RESULTS.md
	cd bench && go run . -engines sqlite -o sqlite/RESULTS.md
	cd bench && go run . -engines mysql -o mysql/RESULTS.md

.PHONY: profile
profile: ## Run the package benchmarks on TTPSTORE_BENCH_TAGS tags, a million by default
	go test -run '^$$' -bench . -benchmem -timeout 2h ./ttp
	cd integration && go test -run '^$$' -bench . -benchmem -timeout 2h .
