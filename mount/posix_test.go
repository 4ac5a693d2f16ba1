package mount

import (
	"os"
	"testing"

	"github.com/hanwen/go-fuse/v2/posixtest"

	"omerods/internal/sandbox"
)

// notInIRODS are the parts of POSIX that iRODS cannot hold.
var notInIRODS = map[string]string{
	"Fallocate":           "holes: iRODS reserves no room, and a size without content would be a hole",
	"FallocateKeepSize":   "holes: iRODS reserves no room",
	"FcntlFlockLocksFile": "the test is one process, whose own locks never conflict; locks are those of the machine's kernel",
	"Link":                "links: a data object has one name",
	"LinkUnlinkRename":    "links: a data object has one name",
	"OpenSymlinkRace":     "links: iRODS has no symbolic ones",
	"SetattrSymlink":      "links: iRODS has no symbolic ones",
	"SymlinkReadlink":     "links: iRODS has no symbolic ones",
	"Tmpfile":             "files without a name: a data object has one",
	"XAttr":               "attributes are iRODS metadata, so they are all called user.irods.avu.NAME",
	"XAttrLarge":          "attributes are iRODS metadata, whose values have at most 2,700 bytes",
}

// TestPosix runs alone: one of its tests counts the open files of the process.
func TestPosix(t *testing.T) {
	for name := range notInIRODS {
		if posixtest.All[name] == nil {
			t.Errorf("%s is not among the tests", name)
		}
	}
	anyServer(t)
	w := newWorldAlone(t, sandbox.Config{})
	for name, f := range posixtest.All {
		if notInIRODS[name] != "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			dir := w.home(name)
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			// A test that leaves itself out is named above, or it is a failure.
			defer func() {
				if t.Skipped() {
					t.Errorf("%s did not test anything", name)
				}
			}()
			f(t, dir)
		})
	}
}
