package omeroview

import (
	"fmt"
	"testing"
	"time"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/sandbox/store"
)

// fillDataset puts n images of one file each into a new dataset, as the server
// would have them after n imports, but without any files on its disk.
func (w *world) fillDataset(b testing.TB, n int) int64 {
	b.Helper()
	who := w.c.Who()
	var dataset int64
	err := w.store.Write(store.Actor{User: who.User, Group: who.Group}, func(a *store.Author) error {
		ds, err := a.Create("Dataset", store.Values{"name": fmt.Sprintf("%d images", n)})
		if err != nil {
			return err
		}
		dataset = ds.ID
		for i := range n {
			name := fmt.Sprintf("field_%05d.ome.tiff", i)
			file, err := a.Create("OriginalFile", store.Values{"name": name, "path": "ada/", "size": int64(1 << 20), "hash": fmt.Sprintf("%040x", i)})
			if err != nil {
				return err
			}
			fs, err := a.Create("Fileset", store.Values{"templatePrefix": "ada/"})
			if err != nil {
				return err
			}
			if _, err := a.Create("FilesetEntry", store.Values{"fileset": fs, "originalFile": file, "clientPath": "/home/ada/" + name}); err != nil {
				return err
			}
			im, err := a.Create("Image", store.Values{"name": name, "fileset": fs, "series": 0})
			if err != nil {
				return err
			}
			if _, err := a.Create("DatasetImageLink", store.Values{"parent": ds, "child": im}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return dataset
}

// BenchmarkDataset lists a dataset of 10,000 images: only its images as the
// server answers, the names, and the names with all attributes.
func BenchmarkDataset(b *testing.B) {
	w := *common
	w.cache = b.TempDir()
	id := w.fillDataset(b, 10000)
	dir := func() (*View, tree.Dir) {
		v, err := New(Config{Client: clientOf(&w), CacheDir: w.cache, ListTime: time.Hour})
		if err != nil {
			b.Fatal(err)
		}
		n := v.root()
		n.group, n.user = w.c.Who().Group, w.c.Who().User
		return v, &innerDir{node: n.child("D", id), kind: omero.KindDataset, id: id}
	}
	list := func(b *testing.B, each func(e tree.Entry)) {
		for b.Loop() {
			v, d := dir()
			entries, err := d.List(b.Context())
			if err != nil || len(entries) < 10000 {
				b.Fatal(len(entries), err)
			}
			for _, e := range entries {
				each(e)
			}
			if err := v.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("query", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := w.c.ImagesOf(b.Context(), []int64{id}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("names", func(b *testing.B) { list(b, func(tree.Entry) {}) })
	b.Run("attributes", func(b *testing.B) {
		list(b, func(e tree.Entry) {
			if e.Node == nil {
				return
			}
			if _, err := e.Node.Attr(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	})
}

// BenchmarkTransfer is the first and the second look at a transfer.xml.
func BenchmarkTransfer(b *testing.B) {
	w := *common
	list, err := w.c.Containers(b.Context(), omero.KindProject, w.c.Who().Group, w.c.Who().User)
	if err != nil || len(list) == 0 {
		b.Fatal(len(list), err)
	}
	look := func(b *testing.B, v *View) {
		n := v.root()
		f := &packFile{node: n.child("P", list[0].ID), pack: packRef{kind: omero.KindProject, id: list[0].ID}, name: transferName}
		if _, err := f.Attr(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	open := func(b *testing.B) *View {
		v, err := New(Config{Client: clientOf(&w), CacheDir: b.TempDir(), ListTime: time.Hour})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			if err := v.Close(); err != nil {
				b.Error(err)
			}
		})
		return v
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			look(b, open(b))
		}
	})
	b.Run("second", func(b *testing.B) {
		v := open(b)
		look(b, v)
		for b.Loop() {
			look(b, v)
		}
	})
}
