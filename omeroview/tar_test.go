package omeroview

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"omerods/fs/tree"
)

// untar reads a whole tar: the bytes of its files, links followed, and the
// names in their order.
func (w *world) untar(data []byte) (files map[string][]byte, names []string) {
	w.t.Helper()
	files = make(map[string][]byte)
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return files, names
		}
		w.check(err)
		names = append(names, h.Name)
		switch h.Typeflag {
		case tar.TypeReg:
			files[h.Name], err = io.ReadAll(r)
			w.check(err)
		case tar.TypeLink:
			files[h.Name] = files[h.Linkname]
		case tar.TypeDir:
		default:
			w.t.Errorf("%s is of type %c", h.Name, h.Typeflag)
		}
	}
}

// inTars shows the tars of a world.
func (w *world) inTars() *world {
	other := *w
	other.tars = true
	return &other
}

// The tar of a pack holds what its folder does, byte for byte, with
// transfer.xml first, and has the size it is said to have.
func TestTarIsTheFolder(t *testing.T) {
	w := newWorld(t)
	tars := w.inTars()
	for _, path := range []string{kidneyPath, kidneyPath + "/Confocal"} {
		data := tars.read(path + ".tar")
		a := tars.attr(path + ".tar")
		if a.Size != int64(len(data)) || !a.Mtime.Equal(w.attr(path+"/"+transferName).Mtime) {
			t.Errorf("%s: %d bytes, attributes %+v", path, len(data), a)
		}
		files, names := w.untar(data)
		if names[0] != transferName || names[1] != sumsName {
			t.Errorf("%s: begins with %q", path, names[:2])
		}
		w.walk(path, func(p string, e tree.Entry) {
			if e.Kind == tree.KindDir {
				return
			}
			rel := p[len(path)+1:]
			got, ok := files[rel]
			if !ok || !bytes.Equal(got, w.read(p)) {
				t.Errorf("%s: in the tar %v, %d bytes", p, ok, len(got))
			}
			delete(files, rel)
		})
		for name := range files {
			t.Errorf("%s is in the tar of %s only", name, path)
		}
	}
}

// tars/ is the tree of omero/ with each pack as a tar: a project is a folder of
// tars as well. Nothing is built for a listing, and no entry has the number of
// one in omero/.
func TestTreeOfTars(t *testing.T) {
	w := newWorld(t)
	tars := w.inTars()
	inos := make(map[uint64]string)
	w.walk(home, func(p string, e tree.Entry) { inos[e.Ino] = p })
	n := 0
	tars.walk(home, func(p string, e tree.Entry) {
		if other := inos[e.Ino]; other != "" {
			t.Errorf("%s has the number of %s", p, other)
		}
		inos[e.Ino] = p
		a := tars.attr(p)
		if a.Kind != e.Kind || (a.Ino == e.Ino) != (e.Kind == tree.KindDir) {
			t.Errorf("%s: listed as %+v, is %+v", p, e, a)
		}
		if other := inos[a.Ino]; other != "" && e.Kind == tree.KindFile {
			t.Errorf("%s has the number of %s", p, other)
		}
		if e.Kind == tree.KindFile {
			n++
			if e.Node != nil || !strings.HasSuffix(p, tarSuffix) {
				t.Errorf("%s: listed as %+v", p, e)
			}
		}
	})
	if n == 0 {
		t.Error("no tars")
	}
	for _, section := range []string{projectsSection, datasetsSection, imagesSection} {
		var want []string
		for _, e := range w.list(home + "/" + section) {
			want = append(want, e.Name+tarSuffix)
			if section == projectsSection {
				want = append(want, e.Name)
			}
		}
		if got := tars.names(home + "/" + section); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", section, got, want)
		}
	}
	var want []string
	for _, e := range w.list(kidneyPath) {
		if e.Kind == tree.KindDir && e.Name != attachmentsName && e.Name != thumbnailsName {
			want = append(want, e.Name+tarSuffix)
		}
	}
	if got := tars.names(kidneyPath); !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", kidneyPath, got, want)
	}
	kidney := w.object(kidneyPath)
	if got := tars.object(kidneyPath + tarSuffix); got != kidney {
		t.Errorf("the tar is of %d, want %d", got, kidney)
	}
	tars.attr(kidneyPath + mark(kidney) + tarSuffix)
	tars.attr(kidneyPath + mark(kidney))
	for _, p := range []string{kidneyPath + "x", kidneyPath + ".tar.tar", kidneyPath + "/Confocal", kidneyPath + "/" + transferName,
		kidneyPath + "/" + transferName + tarSuffix, kidneyPath + "/" + attachmentsName + tarSuffix, kidneyPath + mark(kidney+1) + tarSuffix} {
		if n, err := tars.find(p); !errors.Is(err, tree.ErrNotFound) {
			t.Errorf("%s: got %v, %v", p, n, err)
		}
	}
}

// Any piece of a tar is that piece of the whole, in whatever order and by
// however many it is read.
func TestPiecesOfATar(t *testing.T) {
	w := newWorld(t).inTars()
	path := kidneyPath + tarSuffix
	whole := w.read(path)
	h, err := w.at(path).(tree.File).Open(t.Context(), tree.OpenOptions{Read: true})
	w.check(err)
	defer h.Release(t.Context())
	seed := rand.Uint64()
	var wg sync.WaitGroup
	for reader := range uint64(4) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, reader))
			for range 100 {
				p := make([]byte, 1+r.IntN(300_000))
				off := r.Int64N(int64(len(whole)) + 1000)
				n, err := h.ReadAt(t.Context(), p, off)
				want := whole[min(off, int64(len(whole))):min(off+int64(len(p)), int64(len(whole)))]
				if err != nil && err != io.EOF || !bytes.Equal(p[:n], want) {
					t.Errorf("seed %d: %d bytes at %d: got %d, %v", seed, len(p), off, n, err)
				}
			}
		})
	}
	wg.Wait()
	if again := w.read(path); !bytes.Equal(again, whole) {
		t.Error("another read gives other bytes")
	}
	w.cache = t.TempDir()
	w.v = w.view(time.Hour)
	if again := w.read(path); !bytes.Equal(again, whole) {
		t.Error("a view with another cache gives other bytes")
	}
}

// The server keeps the originals of plates to itself: their tars are not
// opened, and the reason names the file.
func TestTarOfARefusedPlate(t *testing.T) {
	w := newWorld(t).inTars()
	for _, path := range []string{screenPath, platePath} {
		if a := w.attr(path + tarSuffix); a.Size == 0 {
			t.Errorf("%s: %+v", path, a)
		}
		_, err := w.at(path+tarSuffix).(tree.File).Open(t.Context(), tree.OpenOptions{Read: true})
		var why *tree.Error
		if !errors.Is(err, tree.ErrDenied) || !errors.As(err, &why) || why.Advice == "" || !strings.Contains(why.Reason, fakePlate) {
			t.Errorf("%s: got %v", path, err)
		}
	}
}
