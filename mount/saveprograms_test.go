package mount

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"omerods/internal/sandbox"
)

// Beside the programs that save and load (see copiers), these bring a folder in
// other orders, by other requests, or one file at a time.
var otherCopiers = map[string]string{
	"cp --reflink=never":    `cp -r --reflink=never "$1" "$2"`,
	"rsync --inplace":       `rsync -a --inplace "$1/" "$2/"`,
	"rsync --delay-updates": `rsync -a --delay-updates "$1/" "$2/"`,
	"shutil.copytree":       `python3 -c 'import shutil, sys; shutil.copytree(*sys.argv[1:])' "$1" "$2"`,
	"dd, file by file":      `cd "$1"; find . -type d -exec mkdir -p "$2/{}" \; ; find . -type f -exec dd status=none bs=100k if={} of="$2/{}" \;`,
	"gio, file by file":     `cd "$1"; find . -type d -exec mkdir -p "$2/{}" \; ; find . -type f -exec gio copy {} "$2/{}" \;`,
	"cat, transfer.xml last": `cd "$1"; find . -type d -exec mkdir -p "$2/{}" \; ; find . -type f ! -path ./transfer.xml | while read -r f; do cat "$f" > "$2/$f"; done
		cat transfer.xml > "$2/transfer.xml"`,
	"names of its own, then mv": `cd "$1"; find . -type d -exec mkdir -p "$2/{}" \; ; find . -type f | while read -r f; do cp "$f" "$2/$f.tmp"; mv "$2/$f.tmp" "$2/$f"; done`,
}

func TestSaveByOtherPrograms(t *testing.T) {
	w := newWorld(t, sandbox.Config{})
	src := w.omero("projects", "Kidney")
	want := listing(t, src)
	t.Cleanup(func() {
		if status, err := os.ReadFile(filepath.Join(w.dir, ControlDir, "status")); t.Failed() {
			t.Logf("%s%v", status, err)
		}
	})
	n := 0
	for name, script := range otherCopiers {
		n++
		dst := w.home(fmt.Sprintf("Kidney %d", n))
		if out, code := w.try("bash", "-e", "-o", "pipefail", "-c", script, "sh", src, dst); code != 0 {
			t.Errorf("%s: exit code %d\n%s", name, code, out)
			continue
		}
		eventually(t, name+" is finished", func() bool { return attr(dst, "user.irods.avu.omerods::state") == "finished" })
		if got := listing(t, dst); !slices.Equal(got, want) {
			t.Errorf("%s: got %q\nwant %q", name, got, want)
		}
		w.run("bash", "-c", `cd "$1" && sha1sum -c --quiet SHA1SUMS`, "sh", dst)
	}
	if records := w.saveRecords("Project", w.id(src)); len(records) != len(otherCopiers) {
		t.Errorf("%d annotations for %d targets", len(records), len(otherCopiers))
	}
	for _, program := range []string{"mv", "gio"} {
		args := []string{src, w.home("moved")}
		if program == "gio" {
			args = append([]string{"move"}, args...)
		}
		if out, code := w.try(program, args...); code == 0 || !strings.Contains(out, "not permitted") {
			t.Errorf("%s: exit code %d: %s", program, code, out)
		}
		if _, err := os.Stat(filepath.Join(src, "transfer.xml")); err != nil {
			t.Errorf("%s: %v", program, err)
		}
	}
}
