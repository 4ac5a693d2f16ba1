package omeroview

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/pack"
)

const kidneyPath = home + "/projects/Kidney"

func (w *world) decode(path string) (*pack.Document, *pack.Manifest) {
	w.t.Helper()
	doc, m, err := pack.Decode(bytes.NewReader(w.read(path+"/"+transferName)), pack.Limits{})
	if err != nil {
		w.t.Fatalf("%s: %v", path, err)
	}
	if m == nil {
		w.t.Fatalf("%s: no manifest", path)
	}
	return doc, m
}

func TestManifestIsTheFolder(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{kidneyPath, kidneyPath + "/Confocal", home + "/datasets/Calibration"} {
		_, m := w.decode(path)
		w.manifestIsTheFolder(path, m)
	}
}

// manifestIsTheFolder checks that the manifest of a pack lists exactly the files
// that its folder shows, with their sizes; those with a SHA-1 have it, and
// SHA1SUMS says the same.
func (w *world) manifestIsTheFolder(path string, m *pack.Manifest) {
	t := w.t
	t.Helper()
	want := m.ByPath()
	sums := make(map[string]string)
	for line := range strings.Lines(string(w.read(path + "/" + sumsName))) {
		sums[strings.TrimSuffix(line[42:], "\n")] = line[:40]
	}
	w.walk(path, func(p string, e tree.Entry) {
		if e.Kind == tree.KindDir {
			return
		}
		rel := p[len(path)+1:]
		data := w.read(p)
		if a := w.attr(p); a.Size != int64(len(data)) {
			t.Errorf("%s: %d bytes, said to have %d", p, len(data), a.Size)
		}
		sum := sha1.Sum(data)
		hash := hex.EncodeToString(sum[:])
		if s, ok := sums[rel]; ok && s != hash {
			t.Errorf("%s: SHA-1 %s, listed as %s", p, hash, s)
		}
		_, listed := sums[rel]
		delete(sums, rel)
		if rel == transferName {
			if !listed {
				t.Errorf("%s is not in SHA1SUMS", p)
			}
			return
		}
		f := want[rel]
		if f == nil {
			t.Errorf("%s is not in the manifest", p)
			return
		}
		delete(want, rel)
		if f.Size >= 0 && f.Size != int64(len(data)) || f.Algorithm == pack.SHA1 && f.Hash != hash {
			t.Errorf("%s: manifest has %d bytes, %s; file has %d, %s", p, f.Size, f.Hash, len(data), hash)
		}
		if f.Required != (f.Kind != pack.Generated) {
			t.Errorf("%s: kind %s, required %v", p, f.Kind, f.Required)
		}
	})
	for p := range maps.Keys(want) {
		t.Errorf("%s is in the manifest of %s only", p, path)
	}
	for p := range maps.Keys(sums) {
		t.Errorf("%s is in SHA1SUMS of %s only", p, path)
	}
}

func TestDocumentOfAProject(t *testing.T) {
	w := newWorld(t)
	doc, _ := w.decode(kidneyPath)
	if problems := pack.Problems(doc); len(problems) > 0 {
		t.Errorf("readers would stumble: %q", problems)
	}
	if len(doc.Projects) != 1 || doc.Projects[0].Name != "Kidney" || doc.Origin.Name != "Kidney" || doc.Origin.Database != w.c.Server().Database {
		t.Errorf("got %+v, %+v", doc.Projects, doc.Origin)
	}
	if got := w.attr(kidneyPath + "/" + transferName).Mtime; !got.Equal(doc.Packed) {
		t.Errorf("packed %v, file of %v", doc.Packed, got)
	}
	kinds := make(map[pack.AnnotationKind]int)
	for _, a := range doc.Annotations {
		kinds[a.Kind]++
	}
	shapes := make(map[pack.ShapeKind]int)
	for _, r := range doc.ROIs {
		for _, s := range r.Shapes {
			shapes[s.Kind]++
		}
	}
	for _, k := range []pack.AnnotationKind{pack.TagAnnotation, pack.MapAnnotation, pack.CommentAnnotation, pack.LongAnnotation, pack.FileAnnotation} {
		if kinds[k] == 0 {
			t.Errorf("no %s annotation in %v", k, kinds)
		}
	}
	if len(shapes) < 8 {
		t.Errorf("shapes: got %v", shapes)
	}
	// What the server's store says, not the client.
	images := 0
	var images2 []pack.ID
	for _, d := range doc.Datasets {
		images += len(d.Images)
		images2 = append(images2, d.Images...)
	}
	if links := w.store.Count("DatasetImageLink"); images == 0 || images > links {
		t.Errorf("%d images in the document, %d links on the server", images, links)
	}
	if slices.Contains(images2, "") || len(doc.Users) == 0 || len(doc.Groups) != 1 || doc.Groups[0].Permissions != "rwra--" {
		t.Errorf("people: %+v %+v", doc.Users, doc.Groups)
	}
}

// A fileset that two datasets show is stored once.
func TestFilesetInTwoDatasets(t *testing.T) {
	w := newWorld(t)
	controls := w.object(kidneyPath + "/Controls")
	image := w.object(kidneyPath + "/Confocal/glomerulus.ome.tiff")
	b := w.c.NewBatch()
	link := b.Link(omero.Existing(omero.KindDataset, controls), omero.Existing(omero.KindImage, image))
	saved, err := w.c.Save(w.lab(), b)
	w.check(err)
	t.Cleanup(func() {
		_, err := w.c.Delete(context.Background(), map[omero.Kind][]int64{"DatasetImageLink": {saved.ID(link)}}, omero.DeleteOptions{})
		if err != nil {
			t.Error(err)
		}
	})
	w.v.Invalidate()
	doc, m := w.decode(kidneyPath)
	first, again := "Confocal/glomerulus.ome.tiff", "Controls/glomerulus.ome.tiff"
	if f := m.ByPath()[again]; f == nil || f.SameAs != first {
		t.Errorf("%s: got %+v", again, f)
	}
	if f := m.ByPath()[first]; f == nil || f.SameAs != "" {
		t.Errorf("%s: got %+v", first, f)
	}
	if !bytes.Equal(w.read(kidneyPath+"/"+first), w.read(kidneyPath+"/"+again)) {
		t.Error("the two differ")
	}
	n := 0
	for _, fs := range doc.Filesets {
		for _, e := range fs.Entries {
			if e.Path == first || e.Path == again {
				n++
			}
		}
	}
	if n != 1 {
		t.Errorf("the fileset is there %d times", n)
	}
}

// Generated files stay the same, byte for byte and with their times, as long
// as the pack does; our own records change nothing.
func TestPacksAreStable(t *testing.T) {
	w := newWorld(t)
	kidney := w.object(kidneyPath)
	var files []string
	for _, name := range []string{transferName, sumsName, readmeName, "Confocal/" + transferName, "Confocal/" + readmeName} {
		files = append(files, kidneyPath+"/"+name)
	}
	type state struct {
		data string
		attr tree.Attr
	}
	look := func() map[string]state {
		out := make(map[string]state)
		for _, p := range files {
			out[p] = state{string(w.read(p)), w.attr(p)}
		}
		return out
	}
	before := look()
	w.check(w.v.AnnotateSave(t.Context(), omero.KindProject, kidney, w.c.Who().Group, "irods://x/P", []omero.Pair{{Key: "state", Value: "saving"}}))
	w.check(w.v.AnnotateSave(t.Context(), omero.KindProject, kidney, w.c.Who().Group, "irods://x/P", []omero.Pair{{Key: "state", Value: "finished"}}))
	w.cache = t.TempDir()
	for name, v := range map[string]*View{"later": w.v, "with another cache": w.view(time.Hour)} {
		w.v = v
		w.v.Invalidate()
		after := look()
		for p, s := range before {
			if after[p].data != s.data || after[p].attr != s.attr {
				t.Errorf("%s changed %s: %+v, was %+v", p, name, after[p].attr, s.attr)
			}
		}
	}
	image := w.object(kidneyPath + "/Confocal/glomerulus.ome.tiff")
	w.check(w.c.Rename(w.lab(), omero.KindImage, image, "renamed"))
	w.v.Invalidate()
	for p, s := range look() {
		if s.data == before[p].data || !s.attr.Mtime.After(before[p].attr.Mtime) && s.attr.Mtime.Equal(before[p].attr.Mtime) {
			t.Errorf("%s is as it was before an image was renamed", p)
		}
	}
	if doc, _ := w.decode(kidneyPath); !slices.ContainsFunc(doc.Images, func(im pack.Image) bool { return im.Name == "renamed" }) {
		t.Error("the new name is not in the document")
	}
}

// An open file shows one state until it is closed.
func TestOpenFileStaysAsItIs(t *testing.T) {
	w := newWorld(t)
	path := kidneyPath + "/Confocal/" + transferName
	before := w.read(path)
	h, err := w.at(path).(tree.File).Open(t.Context(), tree.OpenOptions{Read: true})
	w.check(err)
	defer h.Release(t.Context())
	for range 4 { // more than the states that are kept
		w.check(w.c.Describe(w.lab(), omero.KindDataset, w.object(kidneyPath+"/Confocal"), string(w.read(path)[:20])+w.t.Name()))
		w.check(w.c.Rename(w.lab(), omero.KindImage, w.object(kidneyPath+"/Confocal/glomerulus.ome.tiff"), hex.EncodeToString(w.read(path)[:4])))
		w.v.Invalidate()
		w.read(path)
	}
	got := make([]byte, len(before))
	if n, err := h.ReadAt(t.Context(), got, 0); n != len(before) || err != nil || !bytes.Equal(got, before) {
		t.Errorf("got %d bytes, %v", n, err)
	}
}
