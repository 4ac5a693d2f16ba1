package fs_test

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"omerods/fs"
	"omerods/fs/fstest"
	"omerods/fs/memtree"
	"omerods/fs/tree"
)

// soon is long for a local answer and short for a test.
const soon = 5 * time.Second

// signalled starts a program, waits until it is in the request, sends it a
// signal and returns when it has ended.
func signalled(t *testing.T, entered <-chan struct{}, sig syscall.Signal, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-entered:
	case <-time.After(soon):
		t.Error("the request does not come")
	}
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != sig {
			t.Errorf("%s ended with %v, want %v", name, err, sig)
		}
	case <-time.After(soon):
		t.Errorf("%s cannot be killed", name)
		_ = cmd.Process.Kill()
	}
}

func TestKilledReader(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("slow", bytes.Repeat([]byte("x"), 1<<20))
	s := fstest.Serve(t, mt.Root())
	// Readahead is nobody's and ends by itself only.
	entered, release := mt.Block(memtree.OpRead, "slow")
	t.Cleanup(release)
	signalled(t, entered, syscall.SIGKILL, "cat", s.Mountpoint()+"/slow")
	if all := s.Errors().All(0); len(all) != 0 {
		t.Errorf("an interrupt was kept as a failure: %v", all)
	}
}

func TestTerminatedCopy(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("from", bytes.Repeat([]byte("x"), 1<<20))
	dir := fstest.Mount(t, mt.Root())
	entered, _ := mt.Block(memtree.OpCopy, "to")
	signalled(t, entered, syscall.SIGTERM, "cp", dir+"/from", dir+"/to")
}

func TestKilledClose(t *testing.T) {
	mt := memtree.New()
	dir := fstest.Mount(t, mt.Root())
	entered, _ := mt.Block(memtree.OpFlush, "file")
	signalled(t, entered, syscall.SIGKILL, "dd", "if=/dev/zero", "of="+dir+"/file", "bs=1k", "count=1", "status=none")
}

func TestDeadline(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("slow", []byte("x"))
	dir := fstest.Mount(t, mt.Root(), func(o *fs.Options) { o.Deadline = 50 * time.Millisecond })
	_, release := mt.Block(memtree.OpOpen, "slow")
	defer release()
	if out, err := run(t, `cat "$1/slow"`, dir); err == nil || !contains(out, "Connection timed out") {
		t.Errorf("open: got %v %q", err, out)
	}

	// What waits for a commit has no deadline.
	mt.Hook(memtree.OpFlush, "new", func(ctx context.Context) error {
		if _, ok := ctx.Deadline(); ok {
			return tree.ErrIO
		}
		return nil
	})
	sh(t, `dd if=/dev/zero of="$1/new" bs=1 count=1 status=none`, dir)
}

// A killed mkdir has made its folder when it is gone, or never makes it: the
// next program must not meet it half-way.
func TestKilledMkdirIsSeenThrough(t *testing.T) {
	mt := memtree.New()
	dir := fstest.Mount(t, mt.Root())
	entered, release := make(chan struct{}), make(chan struct{})
	enter := sync.OnceFunc(func() { close(entered) })
	mt.Hook(memtree.OpMkdir, "new", func(ctx context.Context) error {
		enter()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-release:
			return nil
		}
	})
	cmd := exec.Command("mkdir", dir+"/new")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-entered
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(200 * time.Millisecond) // the kernel passes the interrupt on meanwhile
		close(release)
	}()
	if err := cmd.Wait(); err == nil {
		t.Error("mkdir was not killed")
	}
	if out, err := run(t, `mkdir "$1/new"`, dir); err == nil || !contains(out, "File exists") {
		t.Errorf("the same mkdir again: got %v %q", err, out)
	}
}
