package fs_test

import (
	"os"
	"testing"

	"github.com/hanwen/go-fuse/v2/posixtest"

	"omerods/fs/fstest"
	"omerods/fs/memtree"
)

// unsupported are the parts of POSIX that this filesystem does not have.
var unsupported = map[string]string{
	"Fallocate":           "room is not reserved on a server",
	"FallocateKeepSize":   "room is not reserved on a server",
	"FcntlFlockLocksFile": "the kernel keeps the locks, and those of one process do not conflict",
	"Link":                "no hard links",
	"LinkUnlinkRename":    "no hard links",
	"OpenSymlinkRace":     "no symbolic links",
	"SetattrSymlink":      "no symbolic links",
	"SymlinkReadlink":     "no symbolic links",
	"Tmpfile":             "no files without a name",
}

func TestPosix(t *testing.T) {
	for name := range unsupported {
		if posixtest.All[name] == nil {
			t.Errorf("%s is not among the tests", name)
		}
	}
	for name, f := range posixtest.All {
		if unsupported[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			f(t, fstest.Mount(t, memtree.New().Root()))
		})
	}
}

func TestUnsupported(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("file", []byte("x"))
	dir := fstest.Mount(t, mt.Root())
	security := "not supported"
	if os.Geteuid() != 0 {
		security = "Operation not permitted" // the kernel does not ask us then
	}
	for script, want := range map[string]string{
		`ln "$1/file" "$1/hard"`:      "Operation not permitted",
		`ln -s file "$1/soft"`:        "Operation not permitted",
		`mkfifo "$1/pipe"`:            "Operation not permitted",
		`fallocate -l 4096 "$1/file"`: "not supported",
		`setfattr -n security.x "$1"`: security,
	} {
		out, err := run(t, script, dir)
		if err == nil || !contains(out, want) {
			t.Errorf("%s: got %v %q, want %q", script, err, out, want)
		}
	}
	if got := mt.Names(""); len(got) != 1 {
		t.Errorf("something was made: %v", got)
	}
}
