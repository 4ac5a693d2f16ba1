package irodsview_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"

	"omerods/fs/tree"
	"omerods/internal/transfer"
)

// recorder is a guard that notes what it is told and can refuse.
type recorder struct {
	mu      sync.Mutex
	calls   []string
	written []transfer.Written
	callers []tree.Caller    // of what was published
	refuse  map[string]error // by call
}

func (r *recorder) note(call string, args ...any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, a := range args {
		if s, ok := a.(string); ok {
			args[i] = strings.TrimPrefix(s, home)
		}
	}
	line := call + " " + strings.TrimSpace(fmt.Sprintln(args...))
	r.calls = append(r.calls, line)
	return r.refuse[call]
}

func (r *recorder) refuseOnly(calls map[string]error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = calls
}

func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.calls = nil
	return calls
}

func (r *recorder) BeforeMkdir(_ context.Context, p string) error  { return r.note("mkdir?", p) }
func (r *recorder) BeforeCreate(_ context.Context, p string) error { return r.note("create?", p) }
func (r *recorder) BeforeWrite(_ context.Context, p string) error  { return r.note("write?", p) }
func (r *recorder) BeforeRemove(_ context.Context, p string) error { return r.note("remove?", p) }
func (r *recorder) BeforeRename(_ context.Context, from, to string, replaces bool) error {
	return r.note("rename?", from, to, replaces)
}
func (r *recorder) BeforePublish(_ context.Context, w transfer.Written) ([]transfer.AVU, error) {
	return nil, r.note("publish?", w.Path)
}
func (r *recorder) Published(ctx context.Context, w transfer.Written) error {
	caller, _ := tree.CallerFrom(ctx)
	r.mu.Lock()
	r.callers = append(r.callers, caller)
	r.written = append(r.written, w)
	r.mu.Unlock()
	return r.note("published", w.Path)
}
func (r *recorder) Refused(_ context.Context, p string, _ error) { _ = r.note("refused", p) }
func (r *recorder) Made(_ context.Context, p string) error       { return r.note("made", p) }
func (r *recorder) Renamed(_ context.Context, from, to string) error {
	return r.note("renamed", from, to)
}
func (r *recorder) Removed(_ context.Context, p string) { _ = r.note("removed", p) }

func TestGuardIsAskedAndTold(t *testing.T) {
	g := &recorder{}
	w := mount(t, withGuard(g))
	for _, tt := range []struct {
		command string
		want    []string
	}{
		{"mkdir d", []string{"mkdir? /d", "made /d"}},
		{"echo x > d/f", []string{"create? /d/f", "publish? /d/f", "published /d/f"}},
		{"echo yy > d/f", []string{"write? /d/f", "publish? /d/f", "published /d/f"}},
		{"echo z > d/.g.aB3dE6; mv d/.g.aB3dE6 d/g", []string{"create? /d/.g.aB3dE6", "rename? /d/.g.aB3dE6 /d/g false", "publish? /d/g", "published /d/g"}},
		{"mv d/g d/h", []string{"rename? /d/g /d/h false", "renamed /d/g /d/h"}},
		{"mv -f d/h d/f", []string{"rename? /d/h /d/f true", "renamed /d/h /d/f"}},
		{"rm d/f; rmdir d", []string{"remove? /d/f", "removed /d/f", "remove? /d", "removed /d"}},
	} {
		w.run(tt.command)
		if got := g.take(); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", tt.command, got, tt.want)
		}
	}
	last := g.written[len(g.written)-1]
	sum1, sum256 := sha1.Sum([]byte("z\n")), sha256.Sum256([]byte("z\n"))
	if last.Size != 2 || !bytes.Equal(last.SHA1, sum1[:]) || !bytes.Equal(last.SHA256, sum256[:]) || last.Source != nil {
		t.Errorf("told %+v", last)
	}
}

func TestGuardRefuses(t *testing.T) {
	g := &recorder{refuse: map[string]error{}}
	w := mount(t, withGuard(g))
	w.run("echo x > f; mkdir d")
	no := func(class error) error { return tree.Errorf(class, "the guard says no") }
	for _, tt := range []struct {
		call    string
		err     error
		command string
		says    string
	}{
		{"mkdir?", no(tree.ErrExists), "mkdir e", "File exists"},
		{"create?", no(tree.ErrNotPermitted), "echo > g", "Operation not permitted"},
		{"write?", no(tree.ErrExists), "echo > f", "File exists"},
		{"publish?", no(tree.ErrIO), "cp f g", "Input/output error"},
		{"published", no(tree.ErrIncomplete), "cp f g", "Input/output error"},
		{"rename?", no(tree.ErrExists), "mv -f g f", "File exists"},
		{"remove?", no(tree.ErrNotPermitted), "rm f", "Operation not permitted"},
	} {
		g.refuseOnly(map[string]error{tt.call: tt.err})
		out, err := w.try(tt.command)
		g.refuseOnly(nil)
		if err == nil || !strings.Contains(out, tt.says) {
			t.Errorf("%s: %s: got %v %q, want %q", tt.call, tt.command, err, out, tt.says)
		}
		if tt.call == "publish?" {
			compare(t, w.objects(home), map[string]string{"f": "x\n", "d/": ""})
		}
	}
	// What was published stays, though the program heard of a failure.
	compare(t, w.objects(home), map[string]string{"f": "x\n", "d/": "", "g": "x\n"})
}
