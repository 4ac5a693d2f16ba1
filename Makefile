# omerods: make build, make demo, make test. Each target installs what it needs.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
export CGO_ENABLED ?= 0

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
PROGRAMS := fusermount3:fuse3 rsync:rsync tar:tar getfattr:attr
# The race detector links with C.
TEST_PROGRAMS := $(PROGRAMS) gcc:build-essential gio:libglib2.0-bin unzip:unzip openssl:openssl \
  bsdtar:libarchive-tools python3:python3 curl:curl zip:zip perl:perl

# What programs made by others need: Ice's runtime and router for peer-ice; to
# build Ice 3.6 for Python, which omero-py asks for, and to open packs, for
# peer-omero-py.
PEER_ICE := /usr/lib/python3/dist-packages/Glacier2/__init__.py:python3-zeroc-ice glacier2router:zeroc-glacier2 \
  /usr/share/ice/slice/Glacier2/Router.ice:zeroc-ice-slice openssl:openssl gcc:build-essential
PEER_OMERO_PY := /var/lib/dpkg/info/python3-venv.list:python3-venv /usr/bin/python3-config:python3-dev \
  /usr/include/openssl/ssl.h:libssl-dev /usr/include/bzlib.h:libbz2-dev g++:build-essential unzip:unzip
PEER_IRODS := /var/lib/dpkg/info/python3-venv.list:python3-venv gcc:build-essential

.PHONY: help build demo test lint unit peers peer-ice peer-omero-py peer-transfer peer-irods bench soak fuzz clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

build: ## build bin/omerods, one static binary
	@echo "== build bin/omerods"
	@go build -trimpath -ldflags "-s -w -X omerods/internal/version.Version=$(VERSION)" -o bin/omerods ./cmd/omerods
	@ln -sf omerods bin/mount.omerods

demo: build ## save a project with cp -r and load it back, on sandbox servers
	@scripts/need $(PROGRAMS)
	@scripts/demo

test: lint unit peers ## everything in its short form
	@echo "== all tests passed"

lint: ## gofmt, vet, staticcheck
	@echo "== gofmt"
	@out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "gofmt would change: $$out"; exit 1; }
	@echo "== go vet"
	@go vet -tags peer ./...
	@echo "== staticcheck"
	@go tool staticcheck -tags peer ./...

unit: build ## go test -race, real mounts included
	@scripts/need $(TEST_PROGRAMS)
	@echo "== go test -race ./..."
	@# The slowest first: the others run beside them.
	@CGO_ENABLED=1 go test -race -timeout 40m -p 2 ./mount ./omeroview ./...

peers: peer-ice peer-omero-py peer-irods ## the wire against programs made by others

peer-ice: ## against Ice's own runtime and its Glacier2 router
	@scripts/need $(PEER_ICE)
	@echo "== peer: the Ice runtime"
	@CGO_ENABLED=1 go test -race -tags peer -count 1 -timeout 15m ./peers/ice

peer-omero-py: build ## against omero-py and omero-cli-transfer (peer-transfer is a part of it)
	@scripts/need $(PROGRAMS) $(PEER_OMERO_PY)
	@echo "== peer: omero-py"
	@scripts/omero-py >/dev/null
	@CGO_ENABLED=1 OMERODS_OMERO_PY="$$(scripts/omero-py)" go test -race -tags peer -count 1 -timeout 30m ./peers/omeropy

peer-transfer: build ## packs of omero-cli-transfer, ours in its hands, OME's schema
	@scripts/need $(PROGRAMS) $(PEER_OMERO_PY)
	@echo "== peer: omero-cli-transfer"
	@scripts/omero-py >/dev/null
	@CGO_ENABLED=1 OMERODS_OMERO_PY="$$(scripts/omero-py)" go test -race -tags peer -count 1 -timeout 30m ./peers/omeropy \
	  -run '^Test(TransferXML|Unpack|BothUnpack|Forms|Pack)'

peer-irods: build ## the iRODS server and the mount against python-irodsclient
	@scripts/need $(PROGRAMS) $(PEER_IRODS)
	@echo "== peer: python-irodsclient"
	@scripts/irods-py >/dev/null
	@CGO_ENABLED=1 OMERODS_IRODS_PY="$$(scripts/irods-py)" go test -race -tags peer -count 1 -timeout 15m ./peers/irods

bench: build ## ratios that matter, measured in one run
	@scripts/need $(PROGRAMS)
	@echo "== benchmarks"
	@go test -run '^$$' -bench 'Ratio|Rows|Decode' -benchtime 1x -timeout 60m -p 1 ./internal/ice ./internal/omero ./mount

soak: build ## the long forms: crash points, fuzzing, long random histories
	@scripts/need $(TEST_PROGRAMS)
	@echo "== long tests"
	@CGO_ENABLED=1 OMERODS_SOAK=1 go test -race -timeout 120m -p 2 ./...
	@$(MAKE) fuzz FUZZTIME=10m

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME
	@for pkg in $$(go list ./...); do \
	  all=$$(go test -list '^Fuzz' $$pkg); \
	  for f in $$(grep ^Fuzz <<<"$$all" || true); do \
	    echo "== fuzz $$pkg $$f ($(FUZZTIME))"; \
	    go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -timeout 0 $$pkg; \
	  done; done

clean: ## remove what was built
	@rm -rf bin
