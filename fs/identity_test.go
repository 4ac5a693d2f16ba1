package fs_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"omerods/fs"
	"omerods/fs/fstest"
	"omerods/fs/memtree"
	"omerods/fs/tree"
)

type ctx = context.Context

const otherUID, otherGID = 4711, 4712

// as runs a shell script as another user, with one more group than usual.
func as(t *testing.T, script string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "LC_ALL=C", "HOME=/")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: otherUID, Gid: otherGID, Groups: []uint32{otherGID, 4713}},
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func allowOther(o *fs.Options) { o.AllowOther = true }

func TestCallerOfEachRequest(t *testing.T) {
	needRoot(t)
	mt := memtree.New()
	mt.Change("", func(a *tree.Attr) { a.Mode = 0o777 })
	dir := fstest.Mount(t, mt.Root(), allowOther)
	letIn(t, dir)
	out, err := as(t, `cd "$1" && mkdir d && echo hello > d/f && cat d/f && cp d/f d/g && chmod 600 d/g &&
		mv d/g d/h && ls -l d && setfattr -n user.x -v y d/h && rm d/h && test -r d/f`, dir)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, op := range []string{memtree.OpMkdir, memtree.OpCreate, memtree.OpWrite, memtree.OpFlush, memtree.OpRead,
		memtree.OpOpen, memtree.OpCopy, memtree.OpSetAttr, memtree.OpRename, memtree.OpList, memtree.OpSetxattr,
		memtree.OpUnlink, memtree.OpAccess, memtree.OpLookup} {
		callers := mt.Callers(op)
		if len(callers) == 0 {
			t.Errorf("%s: no caller", op)
		}
		for _, c := range callers {
			if c.UID != otherUID || c.GID != otherGID || c.TID == 0 {
				t.Errorf("%s: got %+v", op, c)
			}
		}
	}
	a, err := mt.Stat("d/f")
	if err != nil || a.UID != otherUID || a.GID != otherGID {
		t.Errorf("owner: got %+v %v", a, err)
	}
}

// The kernel writes mapped pages back, and releases handles, as nobody.
func TestCallerIsBoundToTheHandle(t *testing.T) {
	needRoot(t)
	need(t, "python3")
	mt := memtree.New()
	mt.WriteFile("f", make([]byte, 8192))
	mt.Change("f", func(a *tree.Attr) { a.Mode = 0o666 })
	s := fstest.Serve(t, mt.Root(), allowOther)
	letIn(t, s.Mountpoint())
	out, err := as(t, `python3 -c '
import mmap, sys
with open(sys.argv[1], "r+b") as f, mmap.mmap(f.fileno(), 8192) as m:
    m[5000:5005] = b"hello"
    m.flush()
' "$1/f"`, s.Mountpoint())
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	waitFor(t, func() bool { return mt.OpenHandles() == 0 })
	if got, _ := mt.ReadFile("f"); string(got[5000:5005]) != "hello" {
		t.Errorf("not written: %q", got[5000:5005])
	}
	for _, op := range []string{memtree.OpWrite, memtree.OpRelease} {
		for _, c := range mt.Callers(op) {
			if c.UID != otherUID {
				t.Errorf("%s: got %+v", op, c)
			}
		}
		if mt.Count(op) == 0 {
			t.Errorf("no %s", op)
		}
	}
}

type whoKey struct{}

func TestWhoBindsAnIdentity(t *testing.T) {
	mt := memtree.New()
	var mu sync.Mutex
	seen := map[string]int{}
	for _, op := range []string{memtree.OpCreate, memtree.OpWrite, memtree.OpFlush, memtree.OpRelease, memtree.OpList} {
		mt.Hook(op, "*", func(ctx context.Context) error {
			mu.Lock()
			defer mu.Unlock()
			if id, ok := ctx.Value(whoKey{}).(uint32); ok && id == uint32(os.Geteuid())+1 {
				seen[op]++
			}
			return nil
		})
	}
	s := fstest.Serve(t, mt.Root(), func(o *fs.Options) {
		o.Who = func(ctx context.Context) context.Context {
			c, _ := tree.CallerFrom(ctx)
			return context.WithValue(ctx, whoKey{}, c.UID+1)
		}
	})
	sh(t, `echo x > "$1/f"; ls "$1"`, s.Mountpoint())
	waitFor(t, func() bool { return mt.OpenHandles() == 0 })
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 5 {
		t.Errorf("identity seen in %v", seen)
	}
}

// plainDir and plainFile have no abilities at all.
type plainDir struct{ d tree.Dir }

func plain(n tree.Node) tree.Node {
	switch n := n.(type) {
	case tree.Dir:
		return plainDir{n}
	case tree.File:
		return plainFile{n}
	}
	return nil
}

func (p plainDir) Attr(ctx ctx) (tree.Attr, error) { return p.d.Attr(ctx) }

func (p plainDir) List(ctx ctx) ([]tree.Entry, error) {
	list, err := p.d.List(ctx)
	for i := range list {
		list[i].Node = plain(list[i].Node)
	}
	return list, err
}

func (p plainDir) Lookup(ctx ctx, name string) (tree.Node, error) {
	n, err := p.d.Lookup(ctx, name)
	return plain(n), err
}

type plainFile struct{ f tree.File }

func (p plainFile) Attr(ctx ctx) (tree.Attr, error) { return p.f.Attr(ctx) }
func (p plainFile) Open(ctx ctx, o tree.OpenOptions) (tree.Handle, error) {
	if o.Write {
		return nil, tree.Errorf(tree.ErrReadOnly, "this file cannot be changed")
	}
	return p.f.Open(ctx, o)
}

func TestAccessByModeBits(t *testing.T) {
	needRoot(t)
	mt := memtree.New()
	for name, mode := range map[string]uint32{"other": 0o604, "owner": 0o600, "group": 0o640, "second": 0o640, "none": 0o000} {
		mt.WriteFile(name, nil)
		mt.Change(name, func(a *tree.Attr) { a.Mode = mode })
	}
	mt.Change("owner", func(a *tree.Attr) { a.UID = otherUID })
	mt.Change("group", func(a *tree.Attr) { a.GID = otherGID })
	mt.Change("second", func(a *tree.Attr) { a.GID = 4713 })
	s := fstest.Serve(t, plainDir{mt.Root()}, allowOther)
	letIn(t, s.Mountpoint())
	const script = `cd "$1" && for f in *; do test -r $f && echo $f r; test -w $f && echo $f w; test -x $f && echo $f x; done; true`
	out, err := as(t, script, s.Mountpoint())
	if want := "group r\nother r\nowner r\nowner w\nsecond r\n"; err != nil || out != want {
		t.Errorf("got %v\n%swant\n%s", err, out, want)
	}
	if all := s.Errors().All(otherUID); len(all) != 0 {
		t.Errorf("plain answers were kept: %v", all)
	}
}

func TestWithoutAbilities(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("d/f", []byte("x"))
	s := fstest.Serve(t, plainDir{mt.Root()})
	dir := s.Mountpoint()
	for script, want := range map[string]string{
		`echo > "$1/new"`:                       "Read-only file system",
		`echo > "$1/d/f"`:                       "Read-only file system",
		`mkdir "$1/new"`:                        "Read-only file system",
		`rm -f "$1/d/f"`:                        "Operation not permitted",
		`rmdir "$1/d"`:                          "Operation not permitted",
		`mv "$1/d" "$1/e"`:                      "Operation not permitted",
		`chmod 700 "$1/d"`:                      "Operation not permitted",
		`touch -d 2020-01-01 "$1/d"`:            "Operation not permitted",
		`setfattr -n user.x -v y "$1/d"`:        "not supported",
		`getfattr -n user.x "$1/d"`:             "No such attribute",
		`getfattr -n user.omerods.other "$1/d"`: "No such attribute",
	} {
		if out, err := run(t, script, dir); err == nil || !contains(out, want) {
			t.Errorf("%s: got %v %q, want %q", script, err, out, want)
		}
	}
	sh(t, `cat "$1/d/f" && cd "$1/d" && ls -la && df . && cp -a "$1/d" "$2"`, dir, t.TempDir())
	if f, ok := s.Errors().Last(uint32(os.Geteuid()), "d/f"); !ok || f.Reason == "" {
		t.Errorf("no reason was kept: %+v", f)
	}
}

func TestRenameFlags(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("a", []byte("a"))
	mt.WriteFile("b", []byte("b"))
	dir := fstest.Mount(t, mt.Root())
	for _, c := range []struct {
		flags uint
		want  error
	}{
		{unix.RENAME_NOREPLACE, unix.EEXIST},
		{unix.RENAME_EXCHANGE, unix.EINVAL},
		{unix.RENAME_WHITEOUT, unix.EINVAL},
		{0, nil},
	} {
		if err := unix.Renameat2(unix.AT_FDCWD, dir+"/a", unix.AT_FDCWD, dir+"/b", c.flags); err != c.want {
			t.Errorf("flags %d: got %v, want %v", c.flags, err, c.want)
		}
	}
	if got := mt.Names(""); !slices.Equal(got, []string{"b"}) {
		t.Errorf("got %v", got)
	}
}
