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

// filesOf are the original files of an image.
func filesOf(image *store.Row) (out []*store.Row) {
	for _, e := range box.Store().Collection("Fileset", image.Ref("fileset"), "usedFiles") {
		out = append(out, box.Store().Get("OriginalFile", e.Ref("originalFile")))
	}
	return out
}

// TestDownload compares what "omero download" writes with the sums that the
// server computed when the files arrived.
func TestDownload(t *testing.T) {
	p, s := loggedIn(t, "ada"), box.Store()
	one, set := object(t, "Image", "glomerulus.ome.tiff"), object(t, "Image", "tubules")
	if n := len(filesOf(set)); n < 3 {
		t.Fatalf("the fileset of several files has %d", n)
	}
	p.omero("download", named("OriginalFile", filesOf(one)[0].ID), "one.tiff")
	wantFile(t, filepath.Join(p.home, "one.tiff"), filesOf(one)[0])
	p.omero("download", named("Image", one.ID), "by image")
	wantFile(t, filepath.Join(p.home, "by image", filesOf(one)[0].Text("name")), filesOf(one)[0])
	p.omero("download", named("Image", set.ID), "set")
	p.omero("download", named("Fileset", set.Ref("fileset")), "set by fileset")
	for _, f := range filesOf(set) {
		wantFile(t, filepath.Join(p.home, "set", f.Text("name")), f)
		wantFile(t, filepath.Join(p.home, "set by fileset", f.Text("name")), f)
	}
	attached := 0
	s.Each("FileAnnotation", func(a *store.Row) bool {
		if f := s.Get("OriginalFile", a.Ref("file")); a.Group == groupID(t, "lab") && f.Owner == userID(t, "ada") {
			attached++
			name := fmt.Sprintf("anhang %d", a.ID)
			p.omero("download", named("FileAnnotation", a.ID), name)
			wantFile(t, filepath.Join(p.home, name), f)
		}
		return attached < 2
	})
	if attached == 0 {
		t.Error("no attachment was downloaded")
	}
	p.fails("", "download", named("Image", object(t, "Image", "segmentation (drawn)").ID), "nothing")
	p.fails("", "download", "OriginalFile:999999", "nothing")
	// What is in ada's private group is not grace's.
	draft := object(t, "Image", "draft.png")
	loggedIn(t, "grace").fails("", "download", named("OriginalFile", filesOf(draft)[0].ID), "nothing")
}

// TestUpload sends a file and takes it back.
func TestUpload(t *testing.T) {
	p := loggedIn(t, "ada")
	const content = "Zeile eins\nZeile zwei äöü\n"
	if err := os.WriteFile(filepath.Join(p.home, "notiz ä.txt"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	id := p.made("OriginalFile", "upload", "notiz ä.txt")
	f := wantRow(t, "OriginalFile", id)
	if f.Text("name") != "notiz ä.txt" || f.Get("size") != int64(len(content)) {
		t.Errorf("file: got %v", f.Values)
	}
	p.omero("download", named("OriginalFile", id), "back.txt")
	wantFile(t, filepath.Join(p.home, "back.txt"), f)
}

// TestFilesets lists filesets, images and repositories, and adds sizes up.
func TestFilesets(t *testing.T) {
	p, s := loggedIn(t, "ada"), box.Store()
	rows := make(map[string]map[string]string)
	for _, r := range p.table("fs", "sets", "--limit", "1000") {
		rows[r["Id"]] = r
	}
	s.Each("Fileset", func(f *store.Row) bool {
		r, images, files := rows[text(f.ID)], len(s.Collection("Fileset", f.ID, "images")), len(s.Collection("Fileset", f.ID, "usedFiles"))
		if f.Owner == userID(t, "ada") && (r["Prefix"] != f.Text("templatePrefix") || r["Images"] != fmt.Sprint(images) || r["Files"] != fmt.Sprint(files)) {
			t.Errorf("fileset %d: got %v, want %d images of %d files below %s", f.ID, r, images, files, f.Text("templatePrefix"))
		}
		return true
	})
	rows = make(map[string]map[string]string)
	for _, r := range p.table("fs", "images", "--limit", "1000") {
		rows[r["Image"]] = r
	}
	for _, name := range []string{"glomerulus.ome.tiff", "tubules", "overview.png"} {
		i := object(t, "Image", name)
		if r := rows[text(i.ID)]; r["Name"] != name || r["FS"] != text(i.Ref("fileset")) || r["# Files"] != fmt.Sprint(len(filesOf(i))) {
			t.Errorf("image %d: got %v", i.ID, r)
		}
	}
	repo := s.Find("OriginalFile", func(r *store.Row) bool { return r.Text("mimetype") == "Repository" })
	if repos := p.table("fs", "repos"); len(repos) != 1 || repos[0]["Type"] != "Managed" || repos[0]["Id"] != text(repo.ID) {
		t.Errorf("repositories: got %v", repos)
	}
	set := object(t, "Image", "tubules")
	listed := p.omero("fs", "ls", named("Fileset", set.Ref("fileset")))
	var size int64
	for _, f := range filesOf(set) {
		size += f.Get("size").(int64)
		if !strings.Contains(listed, f.Text("path")+f.Text("name")) {
			t.Errorf("fs ls lacks %s:\n%s", f.Text("name"), listed)
		}
	}
	for _, l := range s.Collection("Fileset", set.Ref("fileset"), "jobLinks") {
		for _, f := range s.Collection("Job", l.Ref("child"), "originalFileLinks") {
			size += s.Get("OriginalFile", f.Ref("child")).Get("size").(int64)
		}
	}
	if out := strings.TrimSpace(p.omero("fs", "usage", named("Image", set.ID), "--size-only")); out != text(size) {
		t.Errorf("usage of the image: got %s, want %d", out, size)
	}
	if out := p.omero("fs", "usage", "--report"); !strings.Contains(out, "FilesetEntry") || !strings.Contains(out, "Pixels") {
		t.Errorf("usage of ada:\n%s", out)
	}
}
