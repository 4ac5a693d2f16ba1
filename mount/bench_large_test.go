package mount

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"omerods/internal/irods"
	"omerods/internal/relay"
	"omerods/internal/sandbox"
	"omerods/internal/turns"
)

// largeRounds is how often everything with a large file is measured.
const largeRounds = 3

// largeCopies is a sandbox behind a relay and a mount of it in a process of
// its own, whose memory is that of nothing else.
type largeCopies struct {
	*smallFiles
	bytes  int64
	src    string // the file
	victim *victim
}

func newLargeCopies(b *testing.B) *largeCopies {
	b.Helper()
	n := turns.Shrink[int64](1<<30, 64<<20)
	w := newWorld(b, sandbox.Config{Empty: true, Relays: true, IRODSPlain: true, StateDir: turns.Dir(b, n)})
	s := &smallFiles{world: w, b: b, relay: w.sandbox.IRODSRelay(), local: turns.Dir(b, 2*n)}
	say("") // the line begins with the benchmark's name
	load, _, _ := strings.Cut(readText("/proc/loadavg"), " ")
	say("%s, %d processors, load %s at the start; medians of %d rounds; servers, mount and programs share the machine",
		b.Name(), runtime.NumCPU(), load, largeRounds)
	l := &largeCopies{smallFiles: s, bytes: n, src: filepath.Join(s.local, "src")}
	f, err := os.Create(l.src)
	if err != nil {
		b.Fatal(err)
	}
	block, random := make([]byte, 1<<20), rand.NewChaCha8([32]byte{1})
	for range n >> 20 {
		_, _ = random.Read(block)
		if _, err := f.Write(block); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	settings, err := w.sandbox.WriteSettings(w.sandbox.Users()[0])
	if err != nil {
		b.Fatal(err)
	}
	l.victim = startVictim(b, builtProgram(b), settings.Config, b.TempDir(), "OMERODS_IRODS_TRASH=false",
		"OMERODS_CACHE_DIR="+b.TempDir(), "OMERODS_STATE_DIR="+b.TempDir())
	b.Cleanup(l.victim.stop)
	return l
}

// through is a path in the mount.
func (l *largeCopies) through(name string) string {
	return filepath.Join(l.victim.dir, "irods", l.logical(name))
}

// bareIn and bareOut are the client alone: one connection, one block at a
// time.
func (l *largeCopies) bareIn(name string, verify bool) {
	l.b.Helper()
	ctx, c := l.b.Context(), l.client()
	defer c.Close()
	from, err := os.Open(l.src)
	if err != nil {
		l.b.Fatal(err)
	}
	defer from.Close()
	f, err := c.Create(ctx, l.logical(name))
	if err != nil {
		l.b.Fatal(err)
	}
	buf := make([]byte, putBytes)
	for off := int64(0); off < l.bytes; off += putBytes {
		n, _ := from.ReadAt(buf[:min(putBytes, l.bytes-off)], off)
		if err := f.WriteAt(ctx, buf[:n], off); err != nil {
			l.b.Fatal(err)
		}
	}
	if err := f.Close(ctx); err != nil {
		l.b.Fatal(err)
	}
	if !verify {
		return
	}
	if sum, err := c.Checksum(ctx, l.logical(name), true); err != nil || irods.SHA256(sum) == nil {
		l.b.Fatalf("checksum: %q, %v", sum, err)
	}
}

func (l *largeCopies) bareOut(name, to string) {
	l.b.Helper()
	ctx, c := l.b.Context(), l.client()
	defer c.Close()
	f, err := c.OpenRead(ctx, l.logical(name))
	if err != nil {
		l.b.Fatal(err)
	}
	out, err := os.Create(to)
	if err != nil {
		l.b.Fatal(err)
	}
	defer out.Close()
	buf := make([]byte, putBytes)
	for off := int64(0); ; {
		n, err := f.ReadAt(ctx, buf, off)
		if err != nil {
			l.b.Fatal(err)
		}
		if n == 0 {
			break
		}
		if _, err := out.Write(buf[:n]); err != nil {
			l.b.Fatal(err)
		}
		off += int64(n)
	}
	if err := f.Close(ctx); err != nil {
		l.b.Fatal(err)
	}
}

// BenchmarkRatioLargeFile copies a large file into iRODS and out again, at
// several distances: through the mount, with the client over one connection,
// and with gocommands where OMERODS_BENCH_PEERS has it. What the mount takes
// always includes the server's checksum, by which it is verified.
func BenchmarkRatioLargeFile(b *testing.B) {
	l := newLargeCopies(b)
	peers := findPeers(l.smallFiles)
	env := filepath.Join(peers.dir, "irods_environment.json")
	for _, d := range smallDelays {
		l.delayed(d)
		ways := []copier{
			{"client, verified", func(name string) { l.bareIn(name, true) }, l.bareOut, nil},
			{"client", func(name string) { l.bareIn(name, false) }, nil, nil},
			{"cp", func(name string) { l.run("cp", l.src, l.through(name)) },
				func(name, to string) { l.run("cp", l.through(name), to) }, nil},
		}
		if peers.gocmd != "" {
			put := func(flags ...string) func(string) {
				return func(name string) {
					args := append([]string{"-c", env, "put", "-q", "-f", "--no_encrypt"}, flags...)
					l.run(peers.gocmd, append(args, l.src, l.logical(name))...)
				}
			}
			ways = append(ways, copier{"gocmd", put(), func(name, to string) {
				l.run(peers.gocmd, "-c", env, "get", "-q", "-f", l.logical(name), to)
			}, nil}, copier{"gocmd -k", put("-k"), nil, nil})
		}
		for round := range largeRounds {
			var turn []func()
			for i, w := range ways {
				turn = append(turn, func() { l.bothWays(w, fmt.Sprintf("large %v %d %d", d, round, i)) })
			}
			turns.Take(round, turn...)
		}
		say("%s, %v to the server and back:", turns.Size(l.bytes), d)
		l.report("in by ", ways)
		l.report("out by ", ways)
		for _, dir := range []string{"in", "out"} {
			other := "client"
			if peers.gocmd != "" {
				other = "gocmd"
			} else if dir == "out" {
				other = "client, verified"
			}
			b.ReportMetric(l.t.Median(dir+" by cp").Seconds()/l.t.Median(dir+" by "+other).Seconds(), fmt.Sprintf("%s-ratio-%v", dir, d))
		}
	}
	high := peak(b, l.victim.cmd.Process.Pid)
	say("  the mount's memory: at most %.0f MiB", high)
	b.ReportMetric(high, "peak-MiB")
	b.ReportMetric(0, "ns/op")
}

func (l *largeCopies) bothWays(w copier, name string) {
	l.b.Helper()
	l.measure("in by "+w.name, func() { w.in(name) })
	if w.out != nil {
		to := filepath.Join(l.local, "back")
		l.measure("out by "+w.name, func() { w.out(name, to) })
		l.run("cmp", l.src, to)
		if err := os.Remove(to); err != nil {
			l.b.Fatal(err)
		}
	}
	l.relay.SetRoundTrip(0)
	c := l.client()
	defer c.Close()
	if err := c.Remove(l.b.Context(), l.logical(name), true); err != nil {
		l.b.Fatal(err)
	}
	l.relay.SetRoundTrip(l.delay)
}

func (l *largeCopies) report(dir string, ways []copier) {
	for _, w := range ways {
		what := dir + w.name
		if len(l.t[what]) == 0 {
			continue
		}
		var c relay.Counts = l.asked[what]
		say("  %s: %s (%s; %s), %d requests, %d connections", what, turns.Short(l.t.Median(what)),
			turns.Megabytes(l.t.Rate(what, l.bytes)), l.t.Spread(what), c.Requests, c.Connections)
	}
}
