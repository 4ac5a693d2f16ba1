package mount

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"omerods/internal/sandbox"
	"omerods/internal/sandbox/irodsd"
	"omerods/internal/sandbox/irodsd/status"
)

// callTest is the test of one row of docs/systemcalls.md. It fails unless the
// errnos that it has seen are those that the row names, column by column.
type callTest struct {
	t *testing.T
	w *world
	// dir is a new collection, and file a data object in it with "0123456789".
	dir, file string
	// shown is a data object of somebody else, in a collection of theirs, that
	// the user may only read.
	shown string
	// live is an image's file in OMERO and liveDir the folder it is in.
	live, liveDir string
	// deny answers the next request of a kind with an error, and says whether
	// it can: a real server does what it wants.
	deny func(api int, code status.Code) bool
	// partial is set when a part of the test was left out on a real server.
	partial bool
	seen    [2]map[string]bool
}

func (c *callTest) irods(what string, err error, want syscall.Errno) {
	c.t.Helper()
	c.note(0, "irods/: "+what, err, want)
}

func (c *callTest) omero(what string, err error, want syscall.Errno) {
	c.t.Helper()
	c.note(1, "omero/: "+what, err, want)
}

// both is for calls that end the same way in both.
func (c *callTest) both(what string, want syscall.Errno, call func(dir, file string) error) {
	c.t.Helper()
	c.irods(what, again(func() error { return call(c.dir, c.file) }), want)
	c.omero(what, again(func() error { return call(c.liveDir, c.live) }), want)
}

// again repeats a call that a signal has interrupted: Go's runtime sends them
// to its own threads.
func again(call func() error) error {
	for {
		if err := call(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

func (c *callTest) note(column int, what string, err error, want syscall.Errno) {
	c.t.Helper()
	var errno syscall.Errno
	if err != nil && !errors.As(err, &errno) {
		c.t.Errorf("%s: %v", what, err)
		return
	}
	if errno != want {
		c.t.Errorf("%s: got %v (%s), want %v", what, err, unix.ErrnoName(errno), want)
	}
	if errno != 0 {
		c.seen[column][errnoName(errno)] = true
	}
}

func errnoName(e syscall.Errno) string {
	if e == syscall.EOPNOTSUPP {
		return "EOPNOTSUPP"
	}
	return unix.ErrnoName(e)
}

// content checks what a file holds.
func (c *callTest) content(path, want string) {
	c.t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		c.t.Errorf("%s: got %.60q, %v, want %q", path, got, err, want)
	}
}

func (c *callTest) write(path, text string) {
	c.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		c.t.Errorf("write %s: %v", path, err)
	}
}

// logical is the iRODS path of a file in dir.
func (c *callTest) logical(name string) string {
	return c.w.logical(filepath.Base(c.dir), filepath.Base(name))
}

// shell runs a script with the path as its first argument.
func (c *callTest) shell(script, path string) (string, error) {
	out, code := c.w.try("bash", "-c", script, "sh", path)
	if code != 0 {
		return out, fmt.Errorf("exit code %d", code)
	}
	return out, nil
}

func statusCode(n int) status.Code { return status.Code(n) }

// open opens a file for the rest of the test.
func (c *callTest) open(path string, flags int) *os.File {
	c.t.Helper()
	f, err := os.OpenFile(path, flags, 0o644)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = f.Close() })
	return f
}

func tryOpen(path string, flags int) error {
	fd, err := unix.Open(path, flags, 0o644)
	if err == nil {
		err = unix.Close(fd)
	}
	return err
}

func (c *callTest) stat(path string) os.FileInfo {
	c.t.Helper()
	i, err := os.Stat(path)
	if err != nil {
		c.t.Fatal(err)
	}
	return i
}

// describedCalls reads the rows of docs/systemcalls.md: the texts about irods/
// and omero/ by call.
func describedCalls(t *testing.T) map[string][2]string {
	t.Helper()
	text, err := os.ReadFile("../docs/systemcalls.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][2]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || strings.HasPrefix(cells[1], " ---") || strings.TrimSpace(cells[1]) == "call" {
			continue
		}
		name := strings.ReplaceAll(strings.TrimSpace(cells[1]), "`", "")
		if _, twice := rows[name]; twice {
			t.Errorf("docs/systemcalls.md has two rows %q", name)
		}
		rows[name] = [2]string{cells[2], cells[3]}
	}
	return rows
}

var errnoPattern = regexp.MustCompile(`\bE[A-Z]{2,}[0-9]?\b`)

// TestSystemCalls holds docs/systemcalls.md and the mount to each other: each
// row has a test and each test a row, and both name the same errors.
func TestSystemCalls(t *testing.T) {
	var api, code atomic.Int64
	// The mount is another process: what waits in the kernel for a page of a
	// mapped file must not keep this one's other threads from serving it.
	anyServer(t)
	d := newDoomed(t, sandbox.Config{IRODSFault: func(a int, _ int64) irodsd.Fault {
		if api.CompareAndSwap(int64(a), 0) {
			return irodsd.Fault{Code: status.Code(code.Load())}
		}
		return irodsd.Fault{}
	}})
	w := d.world
	deny := func(a int, c status.Code) bool {
		code.Store(int64(c))
		api.Store(int64(a))
		return w.at.real == nil
	}
	rows := describedCalls(t)
	tests := map[string]func(*callTest){}
	for _, group := range []map[string]func(*callTest){openCalls, dataCalls, nameCalls, attrCalls, otherCalls} {
		for name, test := range group {
			tests[name] = test
		}
	}
	for name := range tests {
		if _, ok := rows[name]; !ok {
			t.Errorf("docs/systemcalls.md has no row for the test %q", name)
		}
	}
	shown := w.showOther()
	live := w.omero("projects", "Kidney", "Controls", "control.ome.tiff")
	for name, cells := range rows {
		test := tests[name]
		if test == nil {
			t.Errorf("no test for the row %q", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			dir, err := os.MkdirTemp(w.home(), "call")
			if err != nil {
				t.Fatal(err)
			}
			c := &callTest{
				t: t, w: w, dir: dir, file: filepath.Join(dir, "file"), shown: shown, live: live, liveDir: filepath.Dir(live),
				deny: deny, seen: [2]map[string]bool{{}, {}},
			}
			c.write(c.file, "0123456789")
			test(c)
			for column, where := range []string{"irods/", "omero/"} {
				told := map[string]bool{}
				for _, e := range errnoPattern.FindAllString(cells[column], -1) {
					told[e] = true
					if !c.seen[column][e] && !c.partial {
						t.Errorf("docs/systemcalls.md says %s of %s, which the test has not seen", e, where)
					}
				}
				for e := range c.seen[column] {
					if !told[e] {
						t.Errorf("docs/systemcalls.md does not say that %s has %s", where, e)
					}
				}
			}
		})
	}
}

// showOther makes a data object of somebody else that the user may read.
func (w *world) showOther() string {
	w.t.Helper()
	ctx, s, owner := w.t.Context(), w.at, w.at.other
	coll := s.otherHome + "/shown"
	err := errors.Join(
		s.MakeCollection(ctx, coll, owner),
		s.SetAccess(ctx, coll, s.user, "read"),
		s.PutObject(ctx, coll+"/f", owner, strings.NewReader("theirs")),
		s.SetAccess(ctx, coll+"/f", s.user, "read"))
	if err != nil {
		w.t.Fatal(err)
	}
	return filepath.Join(w.dir, "irods", coll, "f")
}

// readAll reads an open file from its place on.
func readAll(f *os.File) (string, error) {
	data, err := io.ReadAll(f)
	return string(data), err
}
