package mount

import (
	"path/filepath"
	"strings"
	"testing"

	"omerods/internal/relay"
	"omerods/internal/sandbox"
)

// A mount that is stopped while a server is away leaves its saves to the next
// one.
func TestStoppedMountLeavesItsSavesToTheNext(t *testing.T) {
	w := newWorld(t, sandbox.Config{Relays: true, IRODSPlain: true})
	src := w.omero("projects", "Kidney")
	project := w.id(src)
	told := func(coll string) string {
		for _, r := range w.saveRecords("Project", project) {
			if strings.HasSuffix(pair(r, "target"), coll) {
				return pair(r, "state")
			}
		}
		return ""
	}
	local := filepath.Join(t.TempDir(), "Kidney")
	w.run("cp", "-r", src, local)
	for _, c := range []struct {
		server, state string
		relay         *relay.Relay
		files         string
	}{
		{"OMERO", "finished", w.sandbox.OMERORelay(), "."},
		{"iRODS", "partial", w.sandbox.IRODSRelay(), "transfer.xml"},
	} {
		dst := w.home(c.server)
		w.run("mkdir", dst)
		away := func() { c.relay.Refuse(true); c.relay.Cut() }
		if c.server == "OMERO" {
			away() // what is copied has left it already
		}
		w.run("cp", "-r", local+"/"+c.files, dst)
		away()
		w.unmount()
		c.relay.Refuse(false)
		if got := told(w.logical(c.server)); got != "" {
			t.Fatalf("%s: OMERO was told %s already", c.server, got)
		}
		w.remount()
		eventually(t, c.server+" was away, and all say "+c.state, func() bool {
			return attr(dst, "user.irods.avu.omerods::state") == c.state && told(w.logical(c.server)) == c.state
		})
		eventually(t, "nothing is left to do", func() bool { return attr(dst, "user.irods.avu.omerods::writer") == "" })
	}
}
