# Hawser: build, test and measure. `make help` lists the targets; README.md says what a machine needs.

GO       ?= go
FUZZTIME ?= 30s
BENCH    ?=
# The image that docker/Dockerfile builds with, and the name of its stand-in where no image can be pulled.
GO_IMAGE         ?= golang:1.26
GO_IMAGE_STANDIN ?= hawser-go:1.26

.DEFAULT_GOAL := build
.PHONY: help build run test bench bench-document fuzz lint tools docker-builder check-go check-gcc clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1@\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F@ '{printf "%-22s %s\n", $$1, $$2}'

build: check-go ## both programs into bin/
	$(GO) build -trimpath -o bin/hawser-client ./cmd/client
	$(GO) build -trimpath -o bin/hawser-server ./cmd/server

run: build ## the demo: two emulated uplinks on this machine, measured alone and bonded
	bin/hawser-client demo

test: check-go check-gcc ## everything that has to pass: set-up, format, vet, lint, architecture, tests, cross-builds
	@$(GO) build -o bin/test-run ./test/run && bin/test-run

bench: build ## speed and memory against their references, as a table
	$(GO) run ./test/bench $(BENCH)

bench-document: check-go ## docs/benchmarks.md anew, as root: five hours; CONTINUE=1 goes on with an interrupted one
	@GO="$(GO)" test/bench/document.sh

fuzz: check-go ## every fuzz target for FUZZTIME (30s)
	@$(GO) build -o bin/test-run ./test/run && bin/test-run -fuzz $(FUZZTIME)

lint: tools ## the linter alone
	test/tools/bin/golangci-lint run ./...

tools: check-go ## the pinned Go tools into test/tools/bin
	@$(GO) build -C test/tools -buildvcs=false -o bin/ tool

docker-builder: check-go ## a stand-in for the Go image, from this machine's Go, where none can be pulled
	@test/run/docker-builder.sh $(GO_IMAGE) $(GO_IMAGE_STANDIN)

clean: ## remove what was built
	rm -rf bin test/tools/bin docker/build

# Asked inside the module, an older Go with toolchain switching answers with the version it has fetched for go.mod.
check-go:
	@command -v $(GO) >/dev/null || { echo "Go is missing: install Go 1.26 or newer from https://go.dev/dl/ and put its bin directory into PATH" >&2; exit 1; }
	@$(GO) list -m >/dev/null || { echo "Go 1.26 or newer is needed, this is $$(GOTOOLCHAIN=local $(GO) version): install it from https://go.dev/dl/" >&2; exit 1; }

# As root on Debian the test driver installs it.
check-gcc:
	@command -v gcc >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; } || { echo "gcc is missing, the race detector needs it: apt-get install gcc (Debian), xcode-select --install (macOS)" >&2; exit 1; }
