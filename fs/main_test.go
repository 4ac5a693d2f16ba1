package fs_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"omerods/fs"
	"omerods/fs/memtree"
)

// serveEnv makes the test binary a server of an empty tree at a mount point.
const serveEnv = "FS_TEST_SERVE"

func TestMain(m *testing.M) {
	if mountpoint := os.Getenv(serveEnv); mountpoint != "" {
		s, err := fs.Mount(context.Background(), memtree.New().Root(), mountpoint, fs.DefaultOptions())
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("ready")
		s.Wait()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// sh runs a shell script with the arguments as $1, $2 and returns what it
// prints; it fails the test if the script fails.
func sh(t *testing.T, script string, args ...string) string {
	t.Helper()
	out, err := run(t, script, args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return out
}

// run is sh for a script that may fail.
func run(t *testing.T, script string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", script, "sh"}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", program)
		}
		t.Skipf("NOT TESTED: %s is not installed", program)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
}

// letIn opens the folders that the test's mount lies in to other users.
func letIn(t *testing.T, dir string) {
	t.Helper()
	for p := filepath.Dir(dir); strings.HasPrefix(p, os.TempDir()+"/"); p = filepath.Dir(p) {
		if err := os.Chmod(p, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// counter counts the requests of the kernel that come for single entries.
type counter struct {
	fuse.RawFileSystem
	lookups, getattrs, getxattrs, opens, copies atomic.Int64
}

func (c *counter) option(o *fs.Options) {
	o.Wrap(func(raw fuse.RawFileSystem) fuse.RawFileSystem {
		c.RawFileSystem = raw
		return c
	})
}

func (c *counter) reset() {
	for _, n := range []*atomic.Int64{&c.lookups, &c.getattrs, &c.getxattrs, &c.opens, &c.copies} {
		n.Store(0)
	}
}

func (c *counter) Lookup(cancel <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	c.lookups.Add(1)
	return c.RawFileSystem.Lookup(cancel, h, name, out)
}

func (c *counter) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	c.getattrs.Add(1)
	return c.RawFileSystem.GetAttr(cancel, in, out)
}

func (c *counter) GetXAttr(cancel <-chan struct{}, h *fuse.InHeader, attr string, dest []byte) (uint32, fuse.Status) {
	c.getxattrs.Add(1)
	return c.RawFileSystem.GetXAttr(cancel, h, attr, dest)
}

func (c *counter) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	c.opens.Add(1)
	return c.RawFileSystem.Open(cancel, in, out)
}

func (c *counter) CopyFileRange(cancel <-chan struct{}, in *fuse.CopyFileRangeIn) (uint32, fuse.Status) {
	c.copies.Add(1)
	return c.RawFileSystem.CopyFileRange(cancel, in)
}

// waitFor waits for what the kernel does on its own, such as RELEASE.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for range 500 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("waited in vain")
}
