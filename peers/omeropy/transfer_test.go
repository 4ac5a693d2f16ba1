//go:build peer

package omeropy

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"omerods/internal/sandbox/store"
	"omerods/mount"
)

// mounted mounts both servers as a user and returns the mount point.
func mounted(t *testing.T, name string) string {
	t.Helper()
	settings, err := box.WriteSettings(account(t, name))
	if err != nil {
		t.Fatal(err)
	}
	c := mount.Default()
	if err := mount.Load(&c, settings.Config, func(string) string { return "" }); err != nil {
		t.Fatal(err)
	}
	c.Mountpoint = t.TempDir()
	t.Cleanup(called.Pause()) // what the mount calls is not omero-py's
	m, err := mount.Start(context.Background(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Stop(); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return c.Mountpoint
}

// tool runs a program of the system.
func tool(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), programLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s %q hangs\n%s", name, args, out)
	}
	return string(out), err
}

// highest is the highest id of a class.
func highest(class string) (id int64) {
	box.Store().Each(class, func(r *store.Row) bool { id = max(id, r.ID); return true })
	return id
}

// newer are the objects of a class with a higher id, in the order of ids.
func newer(class string, than int64) (rows []*store.Row) {
	box.Store().Each(class, func(r *store.Row) bool {
		if r.ID > than {
			rows = append(rows, r)
		}
		return true
	})
	return rows
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for a minute: %s", what)
		}
	}
}

// transferring is ada, logged in, who has a figure with an image in it: without
// any figure on the server omero-cli-transfer fails when it is asked for them.
func transferring(t *testing.T) *person {
	t.Helper()
	ada := newPerson(t, "ada")
	ada.omero("login", "-s", "localhost", "-p", ada.port, "-u", "ada")
	var figure int64
	ada.script(&figure, "transfer_figure.py", strconv.FormatInt(oldest(t, "Image", "beat.tif").ID, 10))
	return ada
}

// TestPacks packs parts of the sample study with omero-cli-transfer and loads
// each pack through the mount. What comes of it is what omero-cli-transfer
// keeps of the original.
func TestPacks(t *testing.T) {
	ada := transferring(t)
	dir := mounted(t, "ada")
	for _, c := range []struct {
		class, name, archive, section string
		args                          []string
	}{
		{class: "Project", name: "Kidney", archive: "kidney.tar", section: "projects"},
		{class: "Project", name: "Zebrafish / heart", archive: "fish.zip", section: "projects", args: []string{"--zip", "--figure"}},
		{class: "Dataset", name: "Confocal", archive: "confocal.tar", section: "datasets", args: []string{"--metadata", "img_id", "db_id"}},
		{class: "Dataset", name: "Calibration", archive: "calibration", section: "datasets", args: []string{"--metadata", "none"}},
		{class: "Dataset", name: "Time-lapse", archive: "simple.tar", section: "datasets", args: []string{"--simple"}},
		{class: "Image", name: "glomerulus.ome.tiff", archive: "glomerulus.tar", section: "images"},
		{class: "Image", name: "positions.ome.tiff [Mark]", archive: "positions.tar", section: "images"},
		{class: "Image", name: "tubules", archive: "tubules.tar", section: "images"},
		{class: "Image", name: "segmentation (drawn)", archive: "drawn.tar", section: "images"},
	} {
		t.Run(c.class+" "+c.name, func(t *testing.T) {
			ada.t = t
			sources := withSiblings(oldest(t, c.class, c.name))
			ada.pack(sources[0], c.archive, c.args...)
			before := highest(c.class)
			loadPack(t, dir, ada.extract(c.archive), c.section, "Back "+c.archive)
			var want, got []string
			for _, r := range sources {
				want = append(want, describe(c.class, r.ID, packed))
			}
			for _, r := range newer(c.class, before) {
				got = append(got, describe(c.class, r.ID, nothing))
			}
			if !slices.Equal(got, want) {
				t.Errorf("--- got\n%s--- want\n%s", strings.Join(got, ""), strings.Join(want, ""))
			}
		})
	}
}

// withSiblings are an object and, for an image, all images of its fileset: none
// of them travels alone.
func withSiblings(row *store.Row) []*store.Row {
	if row.Class.Name != "Image" || row.Ref("fileset") == store.None {
		return []*store.Row{row}
	}
	return box.Store().Collection("Fileset", row.Ref("fileset"), "images")
}

// pack packs an object with omero-cli-transfer.
func (p *person) pack(object *store.Row, archive string, args ...string) {
	p.t.Helper()
	args = append([]string{"transfer", "pack"}, args...)
	p.omero(append(args, "--", fmt.Sprintf("%s:%d", object.Class.Name, object.ID), archive)...)
}

// recorded tells whether a load has left its record, which it makes together
// with the top object, and has taken its marks away again. A load that failed
// ends the test.
func recorded(t *testing.T, path string, than int64) bool {
	if why, failed, _ := mount.Why(path); failed {
		t.Fatalf("the load failed: %s", why)
	}
	has := func(ns string) bool {
		return slices.ContainsFunc(newer("Annotation", than), func(a *store.Row) bool { return a.Text("ns") == ns })
	}
	return has("omerods/load") && !has("omerods/loading")
}

// oldest is the oldest object of a class with a name, that of the sample study.
func oldest(t *testing.T, class, name string) *store.Row {
	t.Helper()
	row := box.Store().Find(class, func(r *store.Row) bool { return r.Text("name") == name })
	if row == nil {
		t.Fatalf("the server has no %s %q", class, name)
	}
	return row
}

// extract unpacks an archive in the person's home and returns the folder.
func (p *person) extract(archive string) string {
	p.t.Helper()
	path := filepath.Join(p.home, archive)
	ext := filepath.Ext(archive)
	if ext == "" {
		return path
	}
	to := strings.TrimSuffix(path, ext) + " extracted"
	if err := os.Mkdir(to, 0o755); err != nil {
		p.t.Fatal(err)
	}
	command := []string{"tar", "-xf", path, "-C", to}
	if ext == ".zip" {
		command = []string{"unzip", "-q", path, "-d", to}
	}
	if out, err := tool(p.t, command[0], command[1:]...); err != nil {
		p.t.Fatalf("%q: %v\n%s", command, err, out)
	}
	return to
}
