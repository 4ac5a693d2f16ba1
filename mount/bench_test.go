package mount

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/irodsd"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/sample"
)

// The benchmarks compare ways to do the same thing, by turns in one run, so
// that a ratio holds on any machine. Nothing here fails for being slow.
// OMERODS_BENCH_SMALL=1 takes small files and folders, and OMERODS_BENCH_DIR
// the folder for the servers' data, which else is in memory where that is
// large enough.

// benchSmall is for a quick look whether the benchmarks work.
var benchSmall = os.Getenv("OMERODS_BENCH_SMALL") != ""

// shrink returns the size for a real run or a quick look.
func shrink[T any](large, small T) T {
	if benchSmall {
		return small
	}
	return large
}

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
	cfg.StateDir = benchDir(b, needBytes)
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
		b.Name(), runtime.NumCPU(), load, rounds)
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

// benchDir is a folder for the servers' data: in memory where there is room,
// so that no disk is measured.
func benchDir(b *testing.B, need int64) string {
	b.Helper()
	for _, dir := range []string{os.Getenv("OMERODS_BENCH_DIR"), "/dev/shm"} {
		var st syscall.Statfs_t
		if dir == "" || syscall.Statfs(dir, &st) != nil || int64(st.Bavail)*st.Bsize < 2*need {
			continue
		}
		tmp, err := os.MkdirTemp(dir, "omerods-bench-")
		if err != nil {
			continue
		}
		b.Cleanup(func() {
			if err := os.RemoveAll(tmp); err != nil {
				b.Error(err)
			}
		})
		return tmp
	}
	return b.TempDir()
}

// fresh mounts anew, with nothing in any cache.
func (w *benchWorld) fresh() {
	w.b.Helper()
	w.unmount()
	cache := w.b.TempDir()
	w.remount(func(c *Config) { c.CacheDir = cache })
	w.asked.take()
}

// rounds is how often everything is measured.
const rounds = 5

// times are the durations of the rounds, by what was measured.
type times map[string][]time.Duration

func (t times) measure(what string, do func()) {
	start := time.Now()
	do()
	t[what] = append(t[what], time.Since(start))
}

// inTurn does some things, in each round beginning with another one: what runs
// first finds other caches and another heap than what runs last.
func inTurn(round int, things ...func()) {
	for i := range things {
		things[(round+i)%len(things)]()
	}
}

// median returns the duration in the middle.
func (t times) median(what string) time.Duration {
	d := slices.Sorted(slices.Values(t[what]))
	return d[len(d)/2]
}

// spread is the range of the rounds, for people to judge the median.
func (t times) spread(what string) string {
	return fmt.Sprintf("%s to %s", short(slices.Min(t[what])), short(slices.Max(t[what])))
}

func short(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}

func say(format string, args ...any) { fmt.Printf(format+"\n", args...) }

// rate is the speed of a median, in bytes per second.
func (t times) rate(what string, bytes int64) float64 {
	return float64(bytes) / t.median(what).Seconds()
}

func megabytes(rate float64) string { return fmt.Sprintf("%.0f MB/s", rate/1e6) }

func size(bytes int64) string {
	if bytes%(1<<30) == 0 {
		return fmt.Sprintf("%d GiB", bytes>>30)
	}
	return fmt.Sprintf("%d MiB", bytes>>20)
}
