package mount

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/irodsd"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/sample"
	"omerods/internal/turns"
)

// The benchmarks compare ways to do the same thing, by turns in one run, so
// that a ratio holds on any machine. Nothing here fails for being slow.
// Package turns says what OMERODS_BENCH_SMALL and OMERODS_BENCH_DIR do.

// requests counts what both servers are asked.
type requests struct {
	mu    sync.Mutex
	omero map[string]int // by service and operation
	irods map[int]int    // by number of the API
}

func (r *requests) config() sandbox.Config {
	return sandbox.Config{
		Empty: true,
		OMEROFault: func(op string, _ int64) blitz.Fault {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.omero[op]++
			return blitz.FaultNone
		},
		IRODSFault: func(api int, _ int64) irodsd.Fault {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.irods[api]++
			return irodsd.Fault{}
		},
	}
}

// take returns the counts since the last call: of queries, of reads of files,
// and of all else that OMERO was asked, then of everything iRODS was asked.
func (r *requests) take() (queries, reads, others, irods int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for op, n := range r.omero {
		service, method, _ := strings.Cut(op, ".")
		switch {
		case service == "IQuery":
			queries += n
		case method == "read":
			reads += n
		case method == "ice_ping", method == "keepAlive":
		default:
			others += n
		}
	}
	for _, n := range r.irods {
		irods += n
	}
	clear(r.omero)
	clear(r.irods)
	return queries, reads, others, irods
}

// benchWorld is a world to measure in.
type benchWorld struct {
	*world
	b     *testing.B
	ctx   context.Context
	asked *requests
}

func newBenchWorld(b *testing.B, needBytes int64, fill sample.Bulk) *benchWorld {
	b.Helper()
	asked := &requests{omero: make(map[string]int), irods: make(map[int]int)}
	cfg := asked.config()
	cfg.StateDir = turns.Dir(b, needBytes)
	w := newWorld(b, cfg)
	fill.User, fill.Group = w.sandbox.Users()[0].Name, w.sandbox.Users()[0].Group
	files, err := repository.Open(filepath.Join(cfg.StateDir, "omero", "data"), w.sandbox.Store())
	if err != nil {
		b.Fatal(err)
	}
	defer files.Close()
	if _, err := fill.Fill(b.Context(), sample.Target{Store: w.sandbox.Store(), Files: files}); err != nil {
		b.Fatal(err)
	}
	say("") // the line begins with the benchmark's name
	load, _, _ := strings.Cut(readText("/proc/loadavg"), " ")
	say("%s, %d processors, load %s at the start; medians of %d rounds; servers, mount and programs share the machine",
		b.Name(), runtime.NumCPU(), load, turns.Rounds)
	asked.take()
	return &benchWorld{world: w, b: b, ctx: b.Context(), asked: asked}
}

func readText(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "?"
	}
	return string(text)
}

// fresh mounts anew, with nothing in any cache.
func (w *benchWorld) fresh() {
	w.b.Helper()
	w.unmount()
	cache := w.b.TempDir()
	w.remount(func(c *Config) { c.CacheDir = cache })
	w.asked.take()
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }
