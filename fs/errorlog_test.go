package fs_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"omerods/fs"
	"omerods/fs/fstest"
	"omerods/fs/memtree"
	"omerods/fs/tree"
)

func TestErrorAttribute(t *testing.T) {
	mt := memtree.New()
	mt.MkdirAll("a/deep")
	mt.Fail(memtree.OpCreate, "a/deep/b", tree.Errorf(tree.ErrExists, "project 7 has that name").
		WithAdvice("Choose another name."))
	s := fstest.Serve(t, mt.Root())
	dir := s.Mountpoint()
	const read = `getfattr --only-values -n user.omerods.error "$1"`

	if out, err := run(t, read, dir); err == nil || !contains(out, "No such attribute") {
		t.Errorf("before: got %v %q", err, out)
	}
	if out, err := run(t, `echo > "$1/a/deep/b"`, dir); err == nil {
		t.Fatalf("got %q", out)
	}
	for _, p := range []string{"", "/a", "/a/deep"} {
		out := sh(t, read, dir+p)
		if !contains(out, "project 7 has that name") || !contains(out, "Choose another name.") ||
			!contains(out, "create a/deep/b") {
			t.Errorf("%q: got %q", p, out)
		}
	}
	f, ok := s.Errors().Last(uint32(os.Geteuid()), "a/deep/b")
	if !ok || f.Errno != syscall.EEXIST || f.Op != "create" {
		t.Errorf("got %+v", f)
	}
	// It is never listed, cannot be set, and no program copies it.
	if out := sh(t, `getfattr -d -m - "$1/a"`, dir); contains(out, "omerods") {
		t.Errorf("listed: %q", out)
	}
	if out, err := run(t, `setfattr -n user.omerods.error -v x "$1/a"`, dir); err == nil {
		t.Errorf("set: %q", out)
	}
}

func TestErrorAttributeIsOnesOwn(t *testing.T) {
	needRoot(t)
	mt := memtree.New()
	mt.MkdirAll("a")
	mt.Fail(memtree.OpMkdir, "a/x", tree.Errorf(tree.ErrQuota, "secret reason"))
	s := fstest.Serve(t, mt.Root(), allowOther)
	letIn(t, s.Mountpoint())
	_, _ = run(t, `mkdir "$1/a/x"`, s.Mountpoint())
	const read = `getfattr --only-values -n user.omerods.error "$1"`
	if out, err := as(t, read, s.Mountpoint()+"/a"); err == nil || contains(out, "secret") {
		t.Errorf("another user sees %q", out)
	}
	_, _ = as(t, `mkdir "$1/a/x"`, s.Mountpoint())
	if out, err := as(t, read, s.Mountpoint()+"/a"); err != nil || !contains(out, "secret") {
		t.Errorf("got %v %q", err, out)
	}
}

func TestQuestionsAreNotFailures(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("f", nil)
	s := fstest.Serve(t, mt.Root())
	_, _ = run(t, `ls "$1/no" "$1/no/no"; getfattr -n user.no "$1/f"; getfattr -n security.no "$1/f"; cp -a "$1/f" "$1/g"`, s.Mountpoint())
	if all := s.Errors().All(uint32(os.Geteuid())); len(all) != 0 {
		t.Errorf("got %v", all)
	}
}

func TestRenameFailureIsFoundAtBothNames(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("from", nil)
	mt.Fail(memtree.OpRename, "from", tree.Errorf(tree.ErrNotPermitted, "not between servers"))
	s := fstest.Serve(t, mt.Root())
	_, _ = run(t, `mv "$1/from" "$1/to"`, s.Mountpoint())
	for _, p := range []string{"from", "to"} {
		if f, ok := s.Errors().Last(uint32(os.Geteuid()), p); !ok || f.Reason != "not between servers" {
			t.Errorf("%s: got %+v", p, f)
		}
	}
}

func TestFailureIsFoundAtTheNewName(t *testing.T) {
	mt := memtree.New()
	mt.MkdirAll("d")
	s := fstest.Serve(t, mt.Root())
	f, err := os.Create(s.Mountpoint() + "/d/.tmp")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sh(t, `mv "$1/d/.tmp" "$1/d/name" && mv "$1/d" "$1/e"`, s.Mountpoint())
	mt.Fail(memtree.OpWrite, "*", tree.ErrQuota)
	if _, err := f.WriteString("x"); err == nil {
		t.Fatal("written")
	}
	if f, ok := s.Errors().Last(uint32(os.Geteuid()), "e/name"); !ok || f.Op != "write" {
		t.Errorf("got %+v, all %v", f, s.Errors().All(uint32(os.Geteuid())))
	}
}

func TestErrorLogBounds(t *testing.T) {
	l := fs.NewErrorLog()
	for i := range 1000 {
		l.Record(1, fmt.Sprintf("p/%d", i), "save", errors.New("x"))
	}
	all := l.All(1)
	if len(all) != 200 || all[0].Path != "p/999" || all[199].Path != "p/800" {
		t.Errorf("got %d, from %q", len(all), all[0].Path)
	}
	for range 50 {
		l.Record(1, "same", "save", errors.New("again"))
	}
	if f, _ := l.Last(1, "same"); f.Count != 50 || !strings.Contains(f.String(), "50 times") {
		t.Errorf("got %+v", f)
	}
	if len(l.All(1)) != 200 {
		t.Errorf("got %d", len(l.All(1)))
	}
	for uid := range uint32(300) {
		l.Record(1000+uid, "p", "save", tree.ErrQuota)
	}
	if len(l.All(1)) != 0 {
		t.Error("the oldest user was kept")
	}
	if f, ok := l.Last(1299, "/p/"); !ok || f.Errno != syscall.EDQUOT {
		t.Errorf("got %+v", f)
	}
	l.Record(1299, "p", "save", nil)
	if n := len(l.All(1299)); n != 1 {
		t.Errorf("got %d", n)
	}
	for path, want := range map[string]bool{"": true, "/": true, "p": true, "p/": true, "q": false, "pp": false, "p/q": false} {
		if _, ok := l.Last(1299, path); ok != want {
			t.Errorf("Last(%q): got %v", path, ok)
		}
	}
}
