package omeroview

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/pack"
	"omerods/internal/sandbox/store"
)

// document decodes the transfer.xml in a tar.
func (w *world) document(files map[string][]byte) (*pack.Document, *pack.Manifest) {
	w.t.Helper()
	doc, m, err := pack.Decode(bytes.NewReader(files[transferName]), pack.Limits{})
	w.check(err)
	return doc, m
}

// importFake imports a picture that consists of its name alone.
func (w *world) importFake(name string) omero.ImportResult {
	w.t.Helper()
	im, err := w.c.BeginImport(w.lab(), omero.ImportSpec{ClientPaths: []string{name}})
	w.check(err)
	_, _, err = im.Upload(w.lab(), 0, strings.NewReader(""))
	w.check(err)
	made, err := im.Finish(w.lab(), nil)
	w.check(err)
	return made
}

// fileNamed is the original file of that name on the server.
func (w *world) fileNamed(name string) *store.Row {
	w.t.Helper()
	row := w.store.Find("OriginalFile", func(r *store.Row) bool { return r.Text("name") == name })
	if row == nil {
		w.t.Fatalf("no file %q", name)
	}
	return row
}

// An image that is in no dataset is a pack of its own: with its fileset, all
// images of that, and what is said of them.
func TestTarOfAnImage(t *testing.T) {
	w := ownWorld(t)
	tars := w.inTars()
	const name = "stack&series=3&sizeX=16&sizeY=8.fake"
	made := w.importFake(name)
	if len(made.Images) != 3 {
		t.Fatalf("got %d images, want 3", len(made.Images))
	}
	w.v.Invalidate()
	path := home + "/images/" + name + tarSuffix
	if got := tars.object(path); got != made.Images[0] {
		t.Errorf("the tar is of image %d, want the oldest, %d", got, made.Images[0])
	}
	// The first image comes into a dataset; it stays in the pack. A sibling is
	// renamed and annotated.
	calibration := w.object(home + "/datasets/Calibration")
	b := w.c.NewBatch()
	b.Link(omero.Existing(omero.KindDataset, calibration), omero.Existing(omero.KindImage, made.Images[0]))
	_, err := w.c.Save(w.lab(), b)
	w.check(err)
	w.v.Invalidate()
	before := tars.attr(path)
	b = w.c.NewBatch()
	b.Annotate(omero.Existing(omero.KindImage, made.Images[0]), b.Annotation(omero.Annotation{Kind: omero.TagAnnotation, Text: "of the first"}))
	b.Annotate(omero.Existing(omero.KindImage, made.Images[2]), b.Annotation(omero.Annotation{Kind: omero.TagAnnotation, Text: "of the third"}))
	_, err = w.c.Save(w.lab(), b)
	w.check(err)
	w.check(w.c.Rename(w.lab(), omero.KindImage, made.Images[2], "renamed"))
	w.v.Invalidate()

	after := tars.attr(path)
	if after.Size == before.Size && after.Mtime.Equal(before.Mtime) {
		t.Error("the tar is as it was before its images changed")
	}
	files, names := w.untar(tars.read(path))
	want := []string{transferName, sumsName, readmeName, thumbnailsName + "/"}
	for _, id := range made.Images {
		want = append(want, pack.Picture(pack.NewID(pack.KindImage, id)))
	}
	if want = append(want, name); !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	doc, m := w.document(files)
	if want := pack.NewID(pack.KindImage, made.Images[1]); doc.Origin.Object != want || tars.object(path) != made.Images[1] {
		t.Errorf("a pack of %s, want %s", doc.Origin.Object, want)
	}
	if len(doc.Images) != 3 || len(doc.Filesets) != 1 || len(doc.Filesets[0].Images) != 3 || len(doc.Datasets) != 0 || doc.Images[2].Name != "renamed" {
		t.Errorf("got %d images, %+v, %d datasets", len(doc.Images), doc.Filesets, len(doc.Datasets))
	}
	var tags []string
	for _, a := range doc.Annotations {
		tags = append(tags, a.Text)
	}
	if want := []string{"of the first", "of the third"}; !slices.Equal(tags, want) || len(doc.Links) != 2 {
		t.Errorf("got tags %q and %d links, want %q", tags, len(doc.Links), want)
	}
	if problems := pack.Problems(doc); len(problems) > 0 {
		t.Errorf("readers would stumble: %q", problems)
	}
	if len(m.Files) != 6 {
		t.Errorf("manifest: %+v", m.Files)
	}
}

// An image without files that is in no dataset is a pack with its pixels.
func TestTarOfADrawnImage(t *testing.T) {
	w := ownWorld(t)
	tars := w.inTars()
	image := w.object(kidneyPath + "/Confocal/segmentation (drawn).ome.tiff")
	pixels := w.read(kidneyPath + "/Confocal/segmentation (drawn).ome.tiff")
	var links []int64
	w.store.Each("DatasetImageLink", func(l *store.Row) bool {
		if l.Ref("child") == image {
			links = append(links, l.ID)
		}
		return true
	})
	_, err := w.c.Delete(w.lab(), map[omero.Kind][]int64{"DatasetImageLink": links}, omero.DeleteOptions{})
	w.check(err)
	w.v.Invalidate()
	path := home + "/images/segmentation (drawn).ome.tiff" + tarSuffix
	data := tars.read(path)
	files, _ := w.untar(data)
	if !bytes.Equal(files["segmentation (drawn).ome.tiff"], pixels) || tars.attr(path).Size != int64(len(data)) {
		t.Errorf("got %d bytes of pixels, want %d", len(files["segmentation (drawn).ome.tiff"]), len(pixels))
	}
	doc, _ := w.document(files)
	if len(doc.Images) != 1 || doc.Images[0].Path != "segmentation (drawn).ome.tiff" || len(doc.Filesets) != 0 {
		t.Errorf("got %+v", doc.Images)
	}
}

// An open tar shows one state of the pack until it is closed.
func TestOpenTarStaysAsItIs(t *testing.T) {
	w := ownWorld(t)
	tars := w.inTars()
	path := kidneyPath + "/Confocal" + tarSuffix
	before := tars.read(path)
	node := tars.at(path)
	attr, err := node.Attr(t.Context())
	w.check(err)
	h, err := node.(tree.File).Open(t.Context(), tree.OpenOptions{Read: true})
	w.check(err)
	defer h.Release(t.Context())
	image := w.object(kidneyPath + "/Confocal/segmentation (drawn).ome.tiff")
	for n := range 4 { // more than the states that are kept
		w.check(w.c.Rename(w.lab(), omero.KindImage, image, strings.Repeat("longer ", n+1)))
		w.v.Invalidate()
		if now := tars.read(path); bytes.Equal(now, before) {
			t.Error("the change does not show")
		}
		if now := tars.attr(path); now.Ino == attr.Ino {
			t.Error("another state has the number of the open one")
		}
	}
	// What the kernel asks of the open file is still answered for that.
	if now, err := node.Attr(t.Context()); err != nil || now != attr {
		t.Errorf("attributes: got %+v, %v, want %+v", now, err, attr)
	}
	got := make([]byte, len(before)+1)
	if n, err := h.ReadAt(t.Context(), got, 0); n != len(before) || err != io.EOF || !bytes.Equal(got[:n], before) {
		t.Errorf("got %d bytes of %d, %v", n, len(before), err)
	}
}

// A file that the server has lost, and one that is not what it was, end the
// reading of a tar; they are never filled with something else.
func TestTarOfLostFiles(t *testing.T) {
	w := ownWorld(t)
	tars := w.inTars()
	path := kidneyPath + "/Confocal" + tarSuffix
	at := bytes.Index(tars.read(path), w.read(kidneyPath+"/Confocal/glomerulus.ome.tiff"))
	row := w.fileNamed("glomerulus.ome.tiff")
	disk := filepath.Join(w.files.Dir(), "ManagedRepository", row.Text("path"), row.Text("name"))
	h, err := tars.at(path).(tree.File).Open(t.Context(), tree.OpenOptions{Read: true})
	w.check(err)
	defer h.Release(t.Context())
	w.check(os.Truncate(disk, 100))
	p := make([]byte, 1000)
	n, err := h.ReadAt(t.Context(), p, int64(at)-10)
	var why *tree.Error
	if n > 0 || !errors.Is(err, tree.ErrIO) || !errors.As(err, &why) || !strings.Contains(why.Reason, "glomerulus.ome.tiff") {
		t.Errorf("got %d bytes, %v", n, err)
	}
	if n, err := h.ReadAt(t.Context(), p, 0); n != len(p) || err != nil {
		t.Errorf("the rest cannot be read: %d, %v", n, err)
	}
	// The loss is known now.
	_, err = tars.at(path).(tree.File).Open(t.Context(), tree.OpenOptions{Read: true})
	if !errors.Is(err, tree.ErrIO) || !errors.As(err, &why) || !strings.Contains(why.Reason, "glomerulus.ome.tiff") {
		t.Errorf("another open: got %v", err)
	}
}

// The file of an attachment that is written anew in place ends the reading of
// an open tar.
func TestTarOfAChangedAttachment(t *testing.T) {
	w := ownWorld(t)
	tars := w.inTars()
	path := kidneyPath + tarSuffix
	whole := tars.read(path)
	at := bytes.Index(whole, w.read(kidneyPath+"/attachments/protocol.md"))
	h, err := tars.at(path).(tree.File).Open(t.Context(), tree.OpenOptions{Read: true})
	w.check(err)
	defer h.Release(t.Context())
	row := w.fileNamed("protocol.md").Clone()
	w.check(w.store.Write(store.Actor{User: row.Owner, Group: row.Group}, func(a *store.Author) error {
		a.Update(row)
		return a.Tx().Fill(row, store.Values{"hash": strings.Repeat("0", 40)})
	}))
	n, err := h.ReadAt(t.Context(), make([]byte, 1000), int64(at))
	if n != 0 || !errors.Is(err, tree.ErrIO) || !errors.Is(err, errChanged) {
		t.Errorf("got %d bytes, %v", n, err)
	}
}

// What is kept of a tar may be removed at any time; it is made again.
func TestTarWithoutItsCache(t *testing.T) {
	w := newWorld(t).inTars()
	path := kidneyPath + tarSuffix
	before := w.read(path)
	node := w.at(path)
	attr, err := node.Attr(t.Context())
	w.check(err)
	for _, name := range []string{tarMadeName, tarIndexName} {
		found, err := filepath.Glob(filepath.Join(w.cache, "*", "*", "*", "*", name))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: found %q, %v", name, found, err)
		}
		for _, f := range found {
			w.check(os.Remove(f))
		}
		h, err := node.(tree.File).Open(t.Context(), tree.OpenOptions{Read: true})
		w.check(err)
		got := make([]byte, len(before))
		if n, err := h.ReadAt(t.Context(), got, 0); n != len(before) || err != nil || !bytes.Equal(got, before) {
			t.Errorf("without %s: got %d bytes, %v", name, n, err)
		}
		h.Release(t.Context())
		if now := w.attr(path); now != attr {
			t.Errorf("without %s: got %+v, want %+v", name, now, attr)
		}
	}
}

// A tar that is being laid out is not laid out a second time, though the memo
// is cleared meanwhile; one that was, is.
func TestTarIsLaidOutOnce(t *testing.T) {
	w := newWorld(t)
	a, err := w.v.account(t.Context())
	w.check(err)
	var began atomic.Int32
	started, goOn := make(chan struct{}), make(chan struct{})
	load := func(context.Context) (int32, error) {
		n := began.Add(1)
		close(started)
		<-goOn
		return n, nil
	}
	var wg sync.WaitGroup
	look := func() {
		if n, err := rememberMade(t.Context(), a, tarKey+"x", load); n != 1 || err != nil {
			t.Errorf("got the answer of load %d, %v", n, err)
		}
	}
	wg.Go(look)
	<-started
	w.v.Invalidate()
	wg.Go(look)
	close(goOn)
	wg.Wait()
	w.v.Invalidate()
	if n, err := rememberMade(t.Context(), a, tarKey+"x", func(context.Context) (int32, error) { return 2, nil }); n != 2 || err != nil {
		t.Errorf("after the memo was cleared: load %d, %v", n, err)
	}
}
