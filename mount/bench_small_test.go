package mount

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"omerods/internal/irods"
	"omerods/internal/relay"
	"omerods/internal/sandbox"
	"omerods/internal/turns"
)

// smallRounds is how often everything with small files is measured.
const smallRounds = 3

// smallDelays are the round trips to the iRODS server.
var smallDelays = []time.Duration{0, 5 * time.Millisecond, 20 * time.Millisecond}

// smallFiles is a sandbox behind a relay, with small files to copy in and a
// collection of data objects that another user shares with a group.
type smallFiles struct {
	*world
	b     *testing.B
	relay *relay.Relay
	local string // a folder with room for copies
	t     turns.Times
	asked map[string]relay.Counts
	delay time.Duration
}

const smallBytes = 10_000

func newSmallFiles(b *testing.B) *smallFiles {
	b.Helper()
	w := newWorld(b, sandbox.Config{Empty: true, Relays: true, IRODSPlain: true, StateDir: turns.Dir(b, 1<<30)})
	s := &smallFiles{world: w, b: b, relay: w.sandbox.IRODSRelay(), local: turns.Dir(b, 1<<30)}
	say("") // the line begins with the benchmark's name
	load, _, _ := strings.Cut(readText("/proc/loadavg"), " ")
	say("%s, %d processors, load %s at the start; medians of %d rounds; servers, mount and programs share the machine",
		b.Name(), runtime.NumCPU(), load, smallRounds)
	return s
}

// delayed begins anew with a delay.
func (s *smallFiles) delayed(d time.Duration) {
	s.relay.SetRoundTrip(d)
	s.delay = d
	s.t, s.asked = make(turns.Times), make(map[string]relay.Counts)
}

// measure adds a round of what.
func (s *smallFiles) measure(what string, do func()) {
	s.relay.Take()
	s.t.Measure(what, do)
	s.asked[what] = s.relay.Take()
}

// files makes a folder of n small files.
func (s *smallFiles) files(n int) string {
	s.b.Helper()
	dir := filepath.Join(s.local, fmt.Sprintf("%d files", n))
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.b.Fatal(err)
	}
	for i := range n {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file%04d", i)), bytes.Repeat([]byte{byte(i)}, smallBytes), 0o644); err != nil {
			s.b.Fatal(err)
		}
	}
	return dir
}

// client is a new client of the mount's user, with nothing cached.
func (s *smallFiles) client() *irods.Client {
	s.b.Helper()
	u := s.sandbox.Users()[0]
	c, err := irods.New(irods.Config{Host: "127.0.0.1", Port: s.relay.Port(), User: u.Name, Zone: sandbox.Zone, Password: u.Password})
	if err != nil {
		s.b.Fatal(err)
	}
	return c
}

// bare does something with a client and no mount.
func (s *smallFiles) bare(do func(ctx context.Context, c *irods.Client) error) {
	s.b.Helper()
	c := s.client()
	defer c.Close()
	if err := do(s.b.Context(), c); err != nil {
		s.b.Fatal(err)
	}
}

// put stores each file of a folder with one request, as iput does.
func (s *smallFiles) put(dir, coll string) {
	s.bare(func(ctx context.Context, c *irods.Client) error {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		if err := c.Mkdir(ctx, coll); err != nil {
			return err
		}
		for _, e := range entries {
			data, err := os.ReadFile(filepath.Join(dir, e.Name()))
			if err != nil {
				return err
			}
			sum := sha256.Sum256(data)
			if err := c.Put(ctx, coll+"/"+e.Name(), data, sum[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

// get reads each data object of a collection with one request, as iget does.
func (s *smallFiles) get(coll, dir string) {
	s.bare(func(ctx context.Context, c *irods.Client) error {
		entries, err := c.List(ctx, coll)
		if err != nil {
			return err
		}
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		for _, e := range entries {
			data, err := c.Get(ctx, e.Path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, e.Name()), data, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

// remounted mounts anew, outside of what is measured.
func (s *smallFiles) remounted() {
	s.unmount()
	cache := s.b.TempDir()
	s.remount(func(c *Config) { c.CacheDir = cache })
}

// same checks that a copy has all bytes.
func (s *smallFiles) same(dir, src string) {
	s.b.Helper()
	s.run("diff", "-r", src, dir)
	if err := os.RemoveAll(dir); err != nil {
		s.b.Fatal(err)
	}
}

// away removes a collection without the delay.
func (s *smallFiles) away(coll string) {
	s.b.Helper()
	s.relay.SetRoundTrip(0)
	s.run("rm", "-r", s.home(coll))
	s.relay.SetRoundTrip(s.delay)
}

// line says what one way took in relation to another.
func (s *smallFiles) line(what, other string, n int) {
	c := s.asked[what]
	than := "the measure"
	if what != other {
		than = fmt.Sprintf("%.2f times as long", s.t.Median(what).Seconds()/s.t.Median(other).Seconds())
	}
	say("  %s: %s (%s; %s), %d requests, %.2f a file, %d connections", what, than,
		turns.Short(s.t.Median(what)), s.t.Spread(what), c.Requests, float64(c.Requests)/float64(n), c.Connections)
}

// BenchmarkRatioSmallFiles copies a folder of small files into iRODS and out
// again, and does the same with one request for each file and no mount, which
// is what iput and iget do.
func BenchmarkRatioSmallFiles(b *testing.B) {
	s := newSmallFiles(b)
	peers := findPeers(s)
	for _, d := range smallDelays {
		n := turns.Shrink(1000, 50)
		if d > 0 {
			n /= 5 // the delay counts, not the files
		}
		src := s.files(n)
		s.delayed(d)
		ways := []copier{
			{"one put or get a file", func(coll string) { s.put(src, s.logical(coll)) },
				func(coll, dir string) { s.get(s.logical(coll), dir) }, nil},
			{"cp -r", func(coll string) { s.run("cp", "-r", src, s.home(coll)) },
				func(coll, dir string) { s.run("cp", "-r", s.home(coll), dir) }, s.remounted},
			{"rsync -a", func(coll string) { s.run("rsync", "-a", src+"/", s.home(coll)) },
				func(coll, dir string) { s.run("rsync", "-a", s.home(coll)+"/", dir) }, s.remounted},
		}
		ways = append(ways, peers.copiers(src)...)
		for round := range smallRounds {
			var turn []func()
			for _, w := range ways {
				turn = append(turn, func() { s.bothWays(w, src) })
			}
			turns.Take(round, turn...)
		}
		say("%d files of %d bytes, %v to the server and back:", n, smallBytes, d)
		for _, w := range ways {
			s.line("in by "+w.name, "in by "+ways[0].name, n)
		}
		for _, w := range ways {
			s.line("out by "+w.name, "out by "+ways[0].name, n)
		}
		b.ReportMetric(s.t.Median("in by cp -r").Seconds()/s.t.Median("in by "+ways[0].name).Seconds(), fmt.Sprintf("in-ratio-%v", d))
		b.ReportMetric(s.t.Median("out by cp -r").Seconds()/s.t.Median("out by "+ways[0].name).Seconds(), fmt.Sprintf("out-ratio-%v", d))
		if err := os.RemoveAll(src); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// copier is a way to copy a folder into a collection of the user's home and
// out again. fresh makes it forget what it knows.
type copier struct {
	name  string
	in    func(coll string)
	out   func(coll, dir string)
	fresh func()
}

func (s *smallFiles) bothWays(w copier, src string) {
	coll, dir := "to", filepath.Join(s.local, "back")
	fresh := func() {
		if w.fresh != nil {
			s.relay.SetRoundTrip(0)
			w.fresh()
			s.relay.SetRoundTrip(s.delay)
		}
	}
	fresh()
	s.measure("in by "+w.name, func() { w.in(coll) })
	fresh()
	s.measure("out by "+w.name, func() { w.out(coll, dir) })
	s.same(dir, src)
	s.remounted()
	s.away(coll)
}

// BenchmarkRatioListRights lists a collection whose data objects another user
// shares with a group, in a fresh mount and again; and asks for the names
// alone with a client of its own.
func BenchmarkRatioListRights(b *testing.B) {
	s := newSmallFiles(b)
	n := turns.Shrink(1000, 100)
	coll := s.share(n)
	peers := findPeers(s)
	for _, d := range smallDelays {
		s.delayed(d)
		ls := func(what, dir string) {
			s.measure(what, func() {
				out := s.run("ls", "-l", dir)
				if got := strings.Count(out, "object"); got != n {
					b.Fatalf("%s shows %d objects, want %d", what, got, n)
				}
			})
		}
		for round := range smallRounds {
			turns.Take(round, func() {
				s.measure("names alone", func() {
					s.bare(func(ctx context.Context, c *irods.Client) error {
						found, err := c.List(ctx, coll)
						if err == nil && len(found) != n {
							err = fmt.Errorf("got %d objects, want %d", len(found), n)
						}
						return err
					})
				})
			}, func() {
				dir := filepath.Join(s.dir, "irods", coll)
				s.relay.SetRoundTrip(0)
				s.remounted()
				s.relay.SetRoundTrip(d)
				ls("ls -l", dir)
				ls("ls -l again", dir)
			}, func() { peers.list(coll, ls) })
		}
		say("%d shared data objects, %v to the server and back:", n, d)
		for _, what := range []string{"names alone", "ls -l", "ls -l again", "ls -l by irodsfs", "ls -l again by irodsfs"} {
			if len(s.t[what]) > 0 {
				s.line(what, "names alone", n)
			}
		}
		b.ReportMetric(s.t.Median("ls -l").Seconds()/s.t.Median("names alone").Seconds(), fmt.Sprintf("list-ratio-%v", d))
	}
	b.ReportMetric(0, "ns/op")
}

// share makes a collection of n data objects of another user, which the
// mount's user may read as a member of a group, and every second one write.
func (s *smallFiles) share(n int) (coll string) {
	s.b.Helper()
	ctx, server := s.b.Context(), s.sandbox.IRODS()
	me, other := s.sandbox.Users()[0].Name, s.sandbox.Users()[1].Name
	coll = "/" + sandbox.Zone + "/home/public/shared"
	try := func(err error) {
		s.b.Helper()
		if err != nil {
			s.b.Fatal(err)
		}
	}
	try(server.AddGroup(ctx, "team"))
	try(server.AddToGroup(ctx, "team", me))
	try(server.MakeCollection(ctx, coll, other))
	try(server.SetAccess(ctx, coll, "team", "read"))
	for i := range n {
		path := fmt.Sprintf("%s/object %04d", coll, i)
		try(server.PutObject(ctx, path, other, strings.NewReader("x")))
		try(server.SetAccess(ctx, path, "team", []string{"read", "write"}[i%2]))
	}
	return coll
}
