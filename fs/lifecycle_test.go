package fs_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"omerods/fs"
	"omerods/fs/fstest"
	"omerods/fs/memtree"
	"omerods/fs/tree"
)

func TestBusyUnmountAndDetach(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("f", []byte("content"))
	s := fstest.Serve(t, mt.Root())
	f, err := os.Open(s.Mountpoint() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()

	var busy *fs.BusyError
	if err := s.Unmount(t.Context()); !errors.As(err, &busy) || !contains(err.Error(), "fuser -vm") {
		t.Fatalf("unmount: got %v, want busy", err)
	}
	if err := s.Detach(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.Mountpoint() + "/f"); !os.IsNotExist(err) {
		t.Errorf("detached, but there: %v", err)
	}
	got := make([]byte, 7)
	if _, err := f.ReadAt(got, 0); err != nil || string(got) != "content" {
		t.Errorf("who is inside: got %q %v", got, err)
	}
	f.Close()
	select {
	case <-s.Done():
	case <-time.After(soon):
		t.Error("the last one left, the mount did not end")
	}
	if n := mt.OpenHandles(); n != 0 {
		t.Errorf("%d handles left", n)
	}
	if err := s.Unmount(t.Context()); err != nil {
		t.Errorf("unmounted twice: %v", err)
	}
}

func TestAbortReleasesEverything(t *testing.T) {
	needRoot(t)
	mt := memtree.New()
	mt.WriteFile("f", []byte("content"))
	s := fstest.Serve(t, mt.Root())
	f, err := os.Open(s.Mountpoint() + "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	entered, release := mt.Block(memtree.OpOpen, "f")
	defer release()
	cmd := exec.Command("cat", s.Mountpoint()+"/f")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-entered
	if err := s.Abort(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Done():
	case <-time.After(soon):
		t.Fatal("the mount does not end")
	}
	if err := cmd.Wait(); err == nil {
		t.Error("cat succeeded")
	}
	if n := mt.OpenHandles(); n != 0 {
		t.Errorf("%d handles left", n)
	}
	// The dead mount stays where it was.
	if err := f.Close(); err == nil {
		t.Error("closed without an error")
	}
	if err := fs.UnmountForTest(s.Mountpoint()); err != nil {
		t.Error(err)
	}
}

func TestDeadMountIsCleared(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serveEnv+"="+dir)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if strings.TrimSpace(line) != "ready" {
		t.Fatalf("the server says %q %v", line, err)
	}
	var logged bytes.Buffer
	opts := fs.DefaultOptions()
	opts.Logger = slog.New(slog.NewTextHandler(&logged, nil))

	// A living mount is left alone.
	if _, err := fs.Mount(t.Context(), memtree.New().Root(), dir, opts); err == nil || !contains(err.Error(), "mounted already") {
		t.Errorf("over a living mount: got %v", err)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err := syscall.Statfs(dir, new(syscall.Statfs_t)); !errors.Is(err, syscall.ENOTCONN) {
		t.Fatalf("killed: got %v, want ENOTCONN", err)
	}

	mt := memtree.New()
	mt.WriteFile("f", nil)
	s, err := fs.Mount(t.Context(), mt.Root(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	sh(t, `test -f "$1/f"`, dir)
	if err := s.Unmount(t.Context()); err != nil {
		t.Error(err)
	}
	if !contains(logged.String(), "has died") {
		t.Errorf("logged %q", logged.String())
	}
	if _, err := os.ReadDir(dir); err != nil {
		t.Errorf("something is left: %v", err)
	}
}

func TestUnmountedByOthers(t *testing.T) {
	needRoot(t)
	s := fstest.Serve(t, memtree.New().Root())
	sh(t, `umount "$1"`, s.Mountpoint())
	if err := s.Unmount(t.Context()); err != nil {
		t.Errorf("unmounted before: %v", err)
	}
	// What is there now is somebody else's.
	other := memtree.New()
	other.WriteFile("f", nil)
	o, err := fs.Mount(t.Context(), other.Root(), s.Mountpoint(), fs.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Detach(t.Context()); err != nil {
		t.Error(err)
	}
	sh(t, `test -f "$1/f"`, s.Mountpoint())
	if err := o.Unmount(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMountPointMayBeALink(t *testing.T) {
	tmp := t.TempDir()
	sh(t, `mkdir "$1/with blank" && ln -s "with blank" "$1/link" && ln -s "$1/link" "$1/second"`, tmp)
	mt := memtree.New()
	mt.WriteFile("f", nil)
	s, err := fs.Mount(t.Context(), mt.Root(), filepath.Join(tmp, "second"), fs.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	sh(t, `test -f "$1/with blank/f" && test -f "$1/second/f"`, tmp)
	if _, err := fs.Mount(t.Context(), mt.Root(), filepath.Join(tmp, "link"), fs.DefaultOptions()); err == nil {
		t.Error("mounted twice")
	}
	if err := s.Unmount(t.Context()); err != nil {
		t.Error(err)
	}
	if out := sh(t, `ls -A "$1/with blank"`, tmp); out != "" {
		t.Errorf("left: %q", out)
	}
}

func TestMountRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	offline := memtree.New()
	offline.Fail(memtree.OpAttr, "*", tree.ErrOffline)
	for _, c := range []struct {
		dir  string
		root tree.Dir
		want string
	}{
		{file, memtree.New().Root(), "not a folder"},
		{file + "/no", memtree.New().Root(), "mount point"},
		{t.TempDir(), offline.Root(), "unreachable"},
	} {
		if _, err := fs.Mount(context.Background(), c.root, c.dir, fs.DefaultOptions()); err == nil || !contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.dir, err, c.want)
		}
	}
}

func TestPanicIsAnError(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("f", nil)
	mt.Hook(memtree.OpOpen, "f", func(ctx) error { panic("a bug") })
	told := make(chan any, 1)
	dir := fstest.Mount(t, mt.Root(), func(o *fs.Options) {
		o.PanicHandler = func(value any) { told <- value }
	})
	if out, err := run(t, `cat "$1/f"`, dir); err == nil || !contains(out, "Input/output error") {
		t.Errorf("got %v %q", err, out)
	}
	if got := <-told; got != "a bug" {
		t.Errorf("told %v", got)
	}
}

func TestMountOptions(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("f", []byte("x"))
	mt.Change("f", func(a *tree.Attr) { a.Mode = 0o600 })
	dir := fstest.Mount(t, mt.Root(), func(o *fs.Options) {
		o.FsName, o.DefaultPermissions, o.ReadOnly, o.AllowOther = "server", true, true, os.Geteuid() == 0
	})
	if got := sh(t, `grep " $1 " /proc/self/mounts`, dir); !contains(got, "server "+dir+" fuse.omerods ro,") ||
		!contains(got, "default_permissions") {
		t.Errorf("got %q", got)
	}
	if out, err := run(t, `echo > "$1/new"`, dir); err == nil || !contains(out, "Read-only file system") {
		t.Errorf("got %v %q", err, out)
	}
	if os.Geteuid() == 0 {
		letIn(t, dir)
		if out, err := as(t, `cat "$1/f"`, dir); err == nil || !contains(out, "Permission denied") {
			t.Errorf("another user: got %v %q", err, out)
		}
	}
}

func TestReadAheadIsRaised(t *testing.T) {
	needRoot(t)
	s := fstest.Serve(t, memtree.New().Root(), func(o *fs.Options) { o.ReadAheadKiB = 512 })
	path := sh(t, `printf /sys/class/bdi/%s/read_ahead_kb $(mountpoint -d "$1")`, s.Mountpoint())
	if f, err := os.OpenFile(path, os.O_WRONLY, 0); err != nil {
		t.Skipf("%s cannot be set here: %v", path, err)
	} else {
		f.Close()
	}
	if got := sh(t, `cat "$1"`, path); got != "512\n" {
		t.Errorf("got %q", got)
	}
}

// An ordinary user mounts with the help of fusermount3. The test gives them
// the device in a mount namespace of its own; fusermount3 wants a user that
// /etc/passwd knows.
func TestMountAsOrdinaryUser(t *testing.T) {
	needRoot(t)
	for _, program := range []string{"fusermount3", "unshare", "setpriv"} {
		need(t, program)
	}
	tmp := t.TempDir()
	letIn(t, filepath.Join(tmp, "x"))
	sh(t, `cp "$2" "$1/serve" && chmod 755 "$1/serve" && mkdir "$1/mnt" && chown nobody "$1/mnt"`, tmp, os.Args[0])
	for name, script := range map[string]string{
		"asNobody": `mknod -m 666 "$1/fuse" c 10 229 && mount --bind "$1/fuse" /dev/fuse && rm "$1/fuse" && cd / &&
			exec setpriv --reuid nobody --regid nogroup --clear-groups sh "$1/$2" "$1"`,
		"try": `: < /dev/fuse`,
		"use": serveEnv + `="$1/mnt" "$1/serve" > /dev/null &
			for i in 1 2 3 4 5 6 7 8 9 10; do mountpoint -q "$1/mnt" && break; sleep 0.2; done
			mkdir "$1/mnt/made" && ls -l "$1/mnt" && fusermount3 -u "$1/mnt" && wait`,
	} {
		if err := os.WriteFile(filepath.Join(tmp, name), []byte(script), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const do = `unshare -m sh "$1/asNobody" "$1" "$2"`
	if out, err := run(t, do, tmp, "try"); err != nil {
		t.Skipf("no device for an ordinary user here: %v %s", err, out)
	}
	out, err := run(t, do, tmp, "use")
	if err != nil || !contains(out, "nobody") || !contains(out, "made") {
		t.Errorf("got %v %q", err, out)
	}
}

// TestOneProcessor repeats what deadlocks show in.
func TestOneProcessor(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "TestPosix|TestProgramsCopy|TestListing|TestKilled|TestBusy")
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
