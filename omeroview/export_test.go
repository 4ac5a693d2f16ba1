package omeroview

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/pack"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// An image without original files is an OME-TIFF in which another program
// finds the pixels that the server has.
func TestExportedPixels(t *testing.T) {
	w := newWorld(t)
	_, m := w.decode(kidneyPath)
	i := slices.IndexFunc(m.Files, func(f pack.File) bool { return f.Kind == pack.Exported })
	if i < 0 {
		t.Fatal("no image without files")
	}
	path := kidneyPath + "/" + m.Files[i].Path
	data := w.read(path)
	if a := w.attr(path); a.Size != int64(len(data)) || m.Files[i].Size != a.Size {
		t.Errorf("%d bytes; said to have %d, in the manifest %d", len(data), a.Size, m.Files[i].Size)
	}
	set, err := imaging.Read(fstest.MapFS{"x.ome.tiff": {Data: data}}, "x.ome.tiff")
	w.check(err)
	image := w.object(path)
	pixels, err := w.c.PixelsOf(t.Context(), []int64{image})
	w.check(err)
	raw, err := w.files.OpenPixels(pixels[0].ID)
	w.check(err)
	got, want := set.Series[0], raw.Series()
	if got.SizeX != want.SizeX || got.SizeZ != want.SizeZ || got.SizeC != want.SizeC || got.SizeT != want.SizeT || got.Type != want.Type {
		t.Fatalf("got %+v, want %+v", got, *want)
	}
	for z := range want.SizeZ {
		for c := range want.SizeC {
			for ti := range want.SizeT {
				a, err := set.Plane(0, z, c, ti)
				w.check(err)
				b, err := raw.Plane(z, c, ti)
				w.check(err)
				if !bytes.Equal(a, b) {
					t.Errorf("plane z%d c%d t%d differs", z, c, ti)
				}
			}
		}
	}
	// Any piece of it is that piece of the whole.
	h, err := w.at(path).(tree.File).Open(t.Context(), tree.OpenOptions{Read: true})
	w.check(err)
	defer h.Release(t.Context())
	for off := int64(0); off < int64(len(data)); off += int64(len(data))/17 + 1 {
		p := make([]byte, 999)
		n, err := h.ReadAt(t.Context(), p, off)
		if err != nil && err != io.EOF || !bytes.Equal(p[:n], data[off:min(off+999, int64(len(data)))]) {
			t.Errorf("at %d: %d bytes, %v", off, n, err)
		}
	}
	if n, err := h.ReadAt(t.Context(), make([]byte, 1), int64(len(data))); n != 0 || err != io.EOF {
		t.Errorf("behind the end: %d, %v", n, err)
	}
	if binary.BigEndian.Uint16(data[2:]) != 42 {
		t.Error("no classic TIFF")
	}
}

// A fileset of several files is a folder with these files and nothing else,
// and the pack says which is the first.
func TestFilesetFolder(t *testing.T) {
	w := newWorld(t)
	doc, _ := w.decode(kidneyPath + "/Confocal")
	i := slices.IndexFunc(doc.Filesets, func(f pack.Fileset) bool { return len(f.Entries) > 1 })
	if i < 0 {
		t.Fatal("no fileset of several files")
	}
	fs := doc.Filesets[i]
	var want []string
	for _, e := range fs.Entries {
		want = append(want, e.Path)
	}
	var got []string
	w.walk(kidneyPath+"/Confocal/"+fs.Folder, func(path string, e tree.Entry) {
		if e.Kind == tree.KindFile {
			got = append(got, path[len(kidneyPath+"/Confocal/"):])
		}
	})
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	id, _ := fs.ID.Number()
	entries := w.store.Collection("Fileset", id, "usedFiles")
	if len(entries) != len(fs.Entries) || entries[0].Text("clientPath") != fs.Entries[0].ClientPath {
		t.Errorf("the server's first entry is %q, the pack's %q", entries[0].Text("clientPath"), fs.Entries[0].ClientPath)
	}
	if fs.Reader == "" {
		t.Error("the reader is not in the pack")
	}
}

// What others change shows when a listing is thirty seconds old.
func TestForeignChangesShowAfterAWhile(t *testing.T) {
	w := newWorld(t)
	now := time.Now()
	v, err := New(Config{Client: clientOf(w),
		CacheDir: t.TempDir(), Clock: func() time.Time { return now }})
	w.check(err)
	t.Cleanup(func() { w.check(v.Close()) })
	w.v = v
	dir := home + "/datasets"
	before := w.names(dir)
	id, err := w.c.Create(w.lab(), omero.KindDataset, t.Name(), "", omero.Ref{})
	w.check(err)
	t.Cleanup(func() {
		_, err := w.c.Delete(context.Background(), map[omero.Kind][]int64{omero.KindDataset: {id}}, omero.DeleteOptions{})
		if err != nil {
			t.Error(err)
		}
	})
	now = now.Add(29 * time.Second)
	if got := w.names(dir); !slices.Equal(got, before) {
		t.Errorf("after 29 s: got %q", got)
	}
	now = now.Add(time.Second)
	if got := w.names(dir); !slices.Contains(got, t.Name()) {
		t.Errorf("after 30 s: got %q", got)
	}
}

// Nobody but the caller decides as whom the server is asked.
func TestTheCallerDecides(t *testing.T) {
	w := newWorld(t)
	stranger := tree.Errorf(tree.ErrDenied, "uid 7 is nobody in OMERO")
	v, err := New(Config{CacheDir: t.TempDir(), Client: func(ctx context.Context) (*omero.Client, error) {
		if c, ok := tree.CallerFrom(ctx); ok && c.UID == 1 {
			return w.c, nil
		}
		return nil, stranger
	}})
	w.check(err)
	t.Cleanup(func() { w.check(v.Close()) })
	as := func(uid uint32) context.Context { return tree.WithCaller(t.Context(), tree.Caller{UID: uid}) }
	if _, err := v.Root().List(as(1)); err != nil {
		t.Errorf("ada: %v", err)
	}
	if _, err := v.Root().List(as(7)); !errors.Is(err, stranger) {
		t.Errorf("a stranger: got %v", err)
	}
	n, err := v.Root().Lookup(as(1), "lab")
	w.check(err)
	if _, err := n.(tree.Dir).List(as(7)); !errors.Is(err, tree.ErrDenied) {
		t.Errorf("a stranger in ada's node: got %v", err)
	}
}

// The server keeps the originals of plates to itself: they are listed, but
// opening one says why it cannot be read.
func TestOriginalsOfPlatesAreRefused(t *testing.T) {
	w := newWorld(t)
	ds, err := w.c.Create(w.lab(), omero.KindDataset, t.Name(), "", omero.Ref{})
	w.check(err)
	im, err := w.c.BeginImport(w.lab(), omero.ImportSpec{ClientPaths: []string{"field.tif"}, Target: omero.Existing(omero.KindDataset, ds)})
	w.check(err)
	picture, err := imaging.TIFF(imaging.Picture{Series: imaging.Series{Name: "field", SizeX: 4, SizeY: 3, SizeZ: 1, SizeC: 1, SizeT: 1, Type: imaging.Uint8},
		Plane: func(_, _, _ int) []byte { return make([]byte, 12) }}, false)
	w.check(err)
	_, _, err = im.Upload(w.lab(), 0, bytes.NewReader(picture))
	w.check(err)
	made, err := im.Finish(w.lab(), nil)
	w.check(err)
	path := home + "/datasets/" + t.Name()
	w.read(path + "/field.tif") // as long as it is in no plate
	who := w.c.Who()
	var plate int64
	w.check(w.store.Write(store.Actor{User: who.User, Group: who.Group}, func(a *store.Author) error {
		p, err := a.Create("Plate", store.Values{"name": "plate"})
		if err != nil {
			return err
		}
		plate = p.ID
		well, err := a.Create("Well", store.Values{"plate": p, "row": 0, "column": 0})
		if err != nil {
			return err
		}
		_, err = a.Create("WellSample", store.Values{"well": well, "image": made.Images[0]})
		return err
	}))
	t.Cleanup(func() {
		for kind, id := range map[omero.Kind]int64{omero.KindPlate: plate, omero.KindDataset: ds} {
			if _, err := w.c.Delete(context.Background(), map[omero.Kind][]int64{kind: {id}}, omero.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		}
	})
	w.v.Invalidate()
	if a := w.attr(path + "/field.tif"); a.Size != int64(len(picture)) {
		t.Errorf("got %d bytes, want %d", a.Size, len(picture))
	}
	_, err = w.at(path+"/field.tif").(tree.File).Open(t.Context(), tree.OpenOptions{Read: true})
	var why *tree.Error
	if !errors.Is(err, tree.ErrDenied) || !errors.As(err, &why) || why.Advice == "" {
		t.Errorf("got %v", err)
	}
}
