package fs_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"omerods/fs/fstest"
	"omerods/fs/memtree"
	"omerods/fs/tree"
)

// sample makes a folder with a little of everything and returns its path.
func sample(t *testing.T) string {
	t.Helper()
	src := filepath.Join(t.TempDir(), "src")
	big := make([]byte, 3<<20+17)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(big)
	for name, data := range map[string][]byte{
		"empty":             nil,
		"small.txt":         []byte("small\n"),
		"big.tif":           big,
		"sub/with blank ü":  []byte("umlaut"),
		"sub/deep/er/x.xml": []byte("<x/>"),
	} {
		p := filepath.Join(src, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, data, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(src, "none"), 0o700); err != nil {
		t.Fatal(err)
	}
	sh(t, `find "$1" -exec touch -d '2021-03-04 05:06:07' {} +`, src)
	return src
}

// copying has the programs that copy $1, a folder, to $2, which is not there;
// $3 is a folder to work in.
var copying = []struct {
	name, program, script string
	exact                 bool // times and modes too
}{
	{"cp -r", "cp", `cp -r "$1" "$2"`, false},
	{"cp -a", "cp", `cp -a "$1" "$2"`, true},
	{"rsync -a", "rsync", `rsync -a "$1/" "$2"`, true},
	{"rsync --inplace", "rsync", `rsync -a --inplace "$1/" "$2"`, true},
	{"rsync --delay-updates", "rsync", `rsync -a --delay-updates "$1/" "$2"`, true},
	{"tar", "tar", `mkdir "$2" && tar -C "$1" -cf - . | tar -C "$2" -xf -`, true},
	{"mv", "mv", `cp -a "$1" "$3/moved" && mv "$3/moved" "$2"`, true},
	{"dd", "dd", `cd "$1" && find . -type d -exec mkdir -p "$2/{}" \; && find . -type f -exec dd if={} of="$2/{}" bs=10k status=none conv=fsync \;`, false},
	{"shell", "sh", `cd "$1" && find . -type d -exec mkdir -p "$2/{}" \; && find . -type f -exec sh -c 'cat "$1" > "$2/$1"' sh {} "$2" \;`, false},
	{"gio", "gio", `cd "$1" && find . -type d -exec mkdir -p "$2/{}" \; && find . -type f -exec gio copy {} "$2/{}" \;`, false},
}

func TestProgramsCopyIn(t *testing.T) {
	src := sample(t)
	for _, c := range copying {
		t.Run(c.name, func(t *testing.T) {
			need(t, c.program)
			dir := fstest.Mount(t, memtree.New().Root())
			sh(t, c.script, src, dir+"/to", t.TempDir())
			same(t, src, dir+"/to", c.exact)
		})
	}
}

func TestProgramsCopyOut(t *testing.T) {
	src := sample(t)
	dir := fstest.Mount(t, memtree.New().Root())
	sh(t, `cp -a "$1" "$2/from"`, src, dir)
	for _, c := range copying {
		t.Run(c.name, func(t *testing.T) {
			need(t, c.program)
			to := filepath.Join(t.TempDir(), "to")
			sh(t, c.script, dir+"/from", to, t.TempDir())
			same(t, src, to, c.exact)
		})
	}
}

func TestProgramsCopyInside(t *testing.T) {
	src := sample(t)
	dir := fstest.Mount(t, memtree.New().Root())
	sh(t, `cp -a "$1" "$2/from"`, src, dir)
	for _, c := range copying {
		t.Run(c.name, func(t *testing.T) {
			need(t, c.program)
			to := dir + "/" + filepath.Base(t.Name())
			sh(t, c.script, dir+"/from", to, t.TempDir())
			same(t, src, to, c.exact)
		})
	}
}

// same compares two trees; names and contents always, modes and times if exact.
func same(t *testing.T, a, b string, exact bool) {
	t.Helper()
	sh(t, `diff -r "$1" "$2"`, a, b)
	if !exact {
		return
	}
	const list = `cd "$1" && find . -printf '%p %m %T@ %y\n' | sort`
	if x, y := sh(t, list, a), sh(t, list, b); x != y {
		t.Errorf("attributes differ:\n%s\nwant\n%s", y, x)
	}
}

func TestMoveInside(t *testing.T) {
	mt := memtree.New()
	mt.WriteFile("a/x/file", []byte("content"))
	mt.MkdirAll("b")
	mt.WriteFile("b/there", nil)
	dir := fstest.Mount(t, mt.Root())
	sh(t, `mv "$1/a/x" "$1/b/y" && mv "$1/b/y/file" "$1/b/there" && rm -r "$1/a"`, dir)
	if got, _ := mt.ReadFile("b/there"); string(got) != "content" {
		t.Errorf("got %q", got)
	}
	if got := mt.Names(""); len(got) != 1 || got[0] != "b" {
		t.Errorf("left: %v", got)
	}
	// A rename is done by the view or not at all.
	if mt.Count(memtree.OpCopy)+mt.Count(memtree.OpWrite) != 0 {
		t.Error("something was copied")
	}
	mt.Fail(memtree.OpRename, "*", tree.ErrNotPermitted)
	out, err := run(t, `mv "$1/b" "$1/c"`, dir)
	if err == nil || !contains(out, "Operation not permitted") {
		t.Errorf("mv: got %v %q", err, out)
	}
	if mt.Count(memtree.OpMkdir) != 0 {
		t.Error("mv went on with a copy")
	}
}

// faults has what a program reports when a request fails.
var faults = []struct {
	op      string
	err     error
	script  string
	message string
}{
	{memtree.OpCreate, tree.ErrDenied, `cp "$1" "$2/x"`, "Permission denied"},
	{memtree.OpWrite, tree.ErrNoSpace, `cp "$1" "$2/x"`, "No space left on device"},
	{memtree.OpFlush, tree.ErrQuota, `cp "$1" "$2/x"`, "failed to close"},
	{memtree.OpFlush, tree.ErrQuota, `mv "$3/copy" "$2/x"`, "Disk quota exceeded"},
	{memtree.OpFlush, tree.ErrQuota, `tar -C "$3" -cf - copy | tar -C "$2" -xf -`, "Cannot close"},
	{memtree.OpFlush, tree.ErrQuota, `rsync -a "$1" "$2/x"`, "Disk quota exceeded"},
	{memtree.OpFlush, tree.ErrIO, `dd if="$1" of="$2/x" status=none`, "Input/output error"},
	{memtree.OpSync, tree.ErrIO, `dd if="$1" of="$2/x" status=none conv=fsync`, "fsync failed"},
	{memtree.OpRename, tree.ErrIO, `rsync -a "$1" "$2/x"`, "Input/output error"},
	{memtree.OpSetAttr, tree.ErrIO, `touch -d 2020-01-01 "$2/there"`, "Input/output error"},
	{memtree.OpRead, tree.ErrOffline, `cp "$2/there" "$3/out"`, "Connection timed out"},
	{memtree.OpList, tree.ErrOffline, `ls "$2/folder"`, "Connection timed out"},
	{memtree.OpLookup, tree.ErrOffline, `ls "$2/other"`, "Connection timed out"},
	{memtree.OpOpen, tree.ErrDenied, `cat "$2/there"`, "Permission denied"},
	{memtree.OpUnlink, tree.ErrNotPermitted, `rm -f "$2/there"`, "Operation not permitted"},
	{memtree.OpRmdir, tree.ErrNotPermitted, `rm -r "$2/folder"`, "Operation not permitted"},
	{memtree.OpCopy, tree.ErrOffline, `cp "$2/there" "$2/x"`, "Connection timed out"},
	{memtree.OpSetxattr, tree.ErrNoSpace, `setfattr -n user.x -v y "$2/there"`, "No space left on device"},
	{memtree.OpSpace, tree.ErrOffline, `df "$2"`, "Connection timed out"},
}

func TestFaultsReachTheProgram(t *testing.T) {
	for _, c := range faults {
		t.Run(c.op+" "+c.script, func(t *testing.T) {
			mt := memtree.New()
			mt.WriteFile("there", bytes.Repeat([]byte("x"), 5000))
			mt.MkdirAll("folder")
			dir := fstest.Mount(t, mt.Root())
			tmp := t.TempDir()
			src := filepath.Join(tmp, "copy")
			if err := os.WriteFile(src, []byte("data"), 0o644); err != nil {
				t.Fatal(err)
			}
			mt.Fail(c.op, "*", c.err)
			out, err := run(t, c.script, src, dir, tmp)
			if err == nil || !contains(out, c.message) {
				t.Errorf("got %v %q, want %q", err, out, c.message)
			}
			if _, err := os.Stat(src); err != nil {
				t.Errorf("the source is gone: %v", err)
			}
		})
	}
}
