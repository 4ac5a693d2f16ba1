//go:build peer

package omeropy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

// hashes are the SHA-1 sums, by path, of the files below a folder.
func hashes(t *testing.T, dir string) map[string]string {
	t.Helper()
	out, err := tool(t, "bash", "-c", `cd "$1" && find . -type f -exec sha1sum {} +`, "bash", dir)
	if err != nil {
		t.Fatalf("sha1sum: %v\n%s", err, out)
	}
	sums := map[string]string{}
	for line := range strings.Lines(out) {
		sum, path, _ := strings.Cut(strings.TrimSpace(line), "  ./")
		sums[path] = sum
	}
	return sums
}

// original is the only original file of an image.
func original(t *testing.T, image *store.Row) *store.Row {
	t.Helper()
	entries := box.Store().Collection("Fileset", image.Ref("fileset"), "usedFiles")
	if len(entries) != 1 {
		t.Fatalf("%s has %d files, want 1", image.Text("name"), len(entries))
	}
	return box.Store().Get("OriginalFile", entries[0].Ref("originalFile"))
}

// TestForms makes packs in the forms that are not meant to be loaded again.
func TestForms(t *testing.T) {
	ada := transferring(t)
	fish := oldest(t, "Project", "Zebrafish / heart")
	lapse := oldest(t, "Dataset", "Time-lapse")
	beat := original(t, oldest(t, "Image", "beat.tif"))

	t.Run("simple", func(t *testing.T) {
		ada.t = t
		ada.pack(fish, "simple.tar", "--simple")
		sums := hashes(t, ada.extract("simple.tar"))
		want := fmt.Sprintf("%d_Zebrafish / heart/%d_Time-lapse/beat.tif", fish.ID, lapse.ID)
		if sums[want] != beat.Text("hash") || len(sums) != 2 || sums["transfer.xml"] == "" {
			t.Errorf("got %q, want %q with %s", sums, want, beat.Text("hash"))
		}
	})
	t.Run("BioImage Archive", func(t *testing.T) {
		ada.t = t
		ada.pack(lapse, "archive.zip", "--barchive")
		dir := ada.extract("archive.zip")
		if sums := hashes(t, dir); sums["Time-lapse/beat.tif"] != beat.Text("hash") || len(sums) != 2 {
			t.Errorf("got %q", sums)
		}
		table, err := os.ReadFile(filepath.Join(dir, "submission.tsv"))
		if want := fmt.Sprintf("Time-lapse/beat.tif\tImage\t%d", oldest(t, "Image", "beat.tif").ID); err != nil || !strings.Contains(string(table), want) {
			t.Errorf("got the table %q, %v, want a line %q", table, err, want)
		}
	})
	t.Run("no binaries", func(t *testing.T) {
		ada.t = t
		ada.pack(oldest(t, "Dataset", "Confocal"), "only", "--binaries", "none")
		sums := hashes(t, filepath.Join(ada.home, "only"))
		if len(sums) != 1 || sums["transfer.xml"] == "" {
			t.Errorf("got %q, want transfer.xml only", sums)
		}
	})
	// The originals of plates are not for download, which ends the tool.
	t.Run("plate", func(t *testing.T) {
		ada.t = t
		ada.refused("is restricted", "transfer", "pack", fmt.Sprintf("Screen:%d", oldest(t, "Screen", "Drug screen").ID), "screen.tar")
		if left, _ := filepath.Glob(filepath.Join(ada.home, "screen*")); len(left) > 0 {
			t.Errorf("left %q", left)
		}
		ada.pack(oldest(t, "Plate", "Plate 7"), "plate", "--binaries", "none")
		text, err := os.ReadFile(filepath.Join(ada.home, "plate", "transfer.xml"))
		if n := strings.Count(string(text), "<WellSample "); err != nil || n != 24 {
			t.Errorf("got %v and %d samples, want 24", err, n)
		}
	})
	t.Run("another's private image", func(t *testing.T) {
		ada.t = t
		draft := oldest(t, "Project", "Unpublished")
		juergen := newPerson(t, "juergen")
		juergen.refused("not found or outside", "transfer", "-s", "localhost", "-p", juergen.port, "-u", "juergen", "pack", fmt.Sprintf("Project:%d", draft.ID), "x.tar")
	})
}

// commandLine is what the program omero does, which refuses to be run by root.
const commandLine = `import sys, omero.cli
sys.argv[0] = "omero"
sys.exit(omero.cli.argv())`

// refused runs the command line of omero-py, which has to fail and to say why.
func (p *person) refused(says string, args ...string) {
	p.t.Helper()
	r := p.run("python", append([]string{"-c", commandLine}, args...)...)
	if r.code == 0 || !strings.Contains(r.stderr, says) {
		p.t.Errorf("omero %q: exit code %d, want %q\n%s%s", args, r.code, says, r.stdout, r.stderr)
	}
}
