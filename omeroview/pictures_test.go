package omeroview

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"omerods/fs/tree"
	"omerods/internal/omero"
	"omerods/internal/pack"
)

// kept lists the files of the disk cache whose names begin so.
func (w *world) kept(prefix string) (names []string) {
	w.t.Helper()
	w.check(filepath.WalkDir(w.cache, func(p string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(e.Name(), prefix) {
			names = append(names, e.Name())
		}
		return err
	}))
	return names
}

// The folder of thumbnails lists what the manifest does. Only who looks at one
// has them drawn, and then they stay the same.
func TestThumbnails(t *testing.T) {
	w := newWorld(t)
	dir := kidneyPath + "/" + thumbnailsName
	for _, e := range w.list(kidneyPath) {
		if e.Name == thumbnailsName && e.Kind != tree.KindDir {
			t.Errorf("thumbnails: got %+v", e)
		}
	}
	w.attr(dir)
	listed := w.names(dir)
	if got := append(w.kept("thumbnail-"), w.kept(transferName)...); len(got) != 0 {
		t.Errorf("a listing made %q", got)
	}
	doc, m := w.decode(kidneyPath)
	var want []string
	for _, id := range pack.Pictures(doc, pack.MostPictures) {
		want = append(want, strings.TrimPrefix(pack.Picture(id), thumbnailsName+"/"))
	}
	if !slices.Equal(listed, want) || len(want) < 10 {
		t.Errorf("listed are %q, in the document %q", listed, want)
	}
	before := make(map[string]string)
	for _, name := range listed {
		data := w.read(dir + "/" + name)
		c, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || max(c.Width, c.Height) != thumbnailSide {
			t.Errorf("%s: %d×%d, %v", name, c.Width, c.Height, err)
		}
		if f := m.ByPath()[thumbnailsName+"/"+name]; f == nil || f.Kind != pack.Generated || f.Required {
			t.Errorf("%s: in the manifest as %+v", name, f)
		}
		if a := w.attr(dir + "/" + name); a.Size != int64(len(data)) || !a.Mtime.Equal(w.attr(kidneyPath+"/"+transferName).Mtime) {
			t.Errorf("%s: got %+v", name, a)
		}
		before[name] = string(data)
	}
	w.cache = t.TempDir()
	for what, v := range map[string]*View{"later": w.v, "with another cache": w.view(time.Hour)} {
		w.v = v
		w.v.Invalidate()
		for name, data := range before {
			if string(w.read(dir+"/"+name)) != data {
				t.Errorf("%s: %s differs", what, name)
			}
		}
	}
	for _, name := range []string{"0.jpg", "01.jpg", "1", "1.png", "x.jpg", "999999999.jpg", ""} {
		if _, err := w.find(dir + "/" + name); !errors.Is(err, tree.ErrNotFound) {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

// A pack inside another one has a page, and leaves the thumbnails to the outer
// one; by itself it has both.
func TestNestedPacksHaveNoThumbnails(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]bool{
		kidneyPath: true, kidneyPath + "/Confocal": false, home + "/datasets/Calibration": true, screenPath: true, platePath: false,
		home + "/plates/Pilot plate": true,
	} {
		names := w.names(path)
		if !slices.Contains(names, readmeName) || slices.Contains(names, thumbnailsName) != want {
			t.Errorf("%s: got %q", path, names)
		}
		page := string(w.read(path + "/" + readmeName))
		if strings.Contains(page, "<img ") != want {
			t.Errorf("%s: thumbnails in the page: %v, want %v", path, !want, want)
		}
		_, err := w.find(path + "/" + thumbnailsName)
		if (err == nil) != want {
			t.Errorf("%s/thumbnails: got %v", path, err)
		}
	}
	for _, f := range w.nestedFiles() {
		if strings.HasPrefix(f, thumbnailsName) || strings.Contains(f, "/"+thumbnailsName+"/") {
			t.Errorf("the pack of a dataset in a project lists %s", f)
		}
	}
}

// nestedFiles are the paths in the manifest of a dataset in a project.
func (w *world) nestedFiles() (paths []string) {
	_, m := w.decode(kidneyPath + "/Confocal")
	for _, f := range m.Files {
		paths = append(paths, f.Path)
	}
	return paths
}

// An image that the server cannot draw has a blank thumbnail: what is listed
// can be read.
func TestThumbnailsThatCannotBeDrawn(t *testing.T) {
	w := newWorld(t)
	a, err := w.v.account(t.Context())
	w.check(err)
	p := packRef{kind: "Project", id: w.object(kidneyPath)}
	l, err := a.pictures(t.Context(), p)
	w.check(err)
	broken := *l
	broken.Pixels = slices.Clone(l.Pixels)
	broken.Pixels[0], broken.Pixels[1] = 0, 1<<40
	w.check(a.keepThumbnails(t.Context(), &broken, 0, len(broken.Images)))
	for i, image := range l.Images[:3] {
		g, err := a.thumbnail(t.Context(), p, image)
		w.check(err)
		data := w.read(kidneyPath + "/" + pack.Picture(pack.NewID(pack.KindImage, image)))
		if blank := bytes.Equal(data, blankThumbnail()); blank != (i < 2) || g.size != int64(len(data)) {
			t.Errorf("image %d: blank %v, %d bytes", image, blank, g.size)
		}
	}
}

// A page that somebody has removed from the cache comes back as it was.
func TestReadmeIsMadeAgain(t *testing.T) {
	w := newWorld(t)
	path := kidneyPath + "/" + readmeName
	before := w.read(path)
	a, err := w.v.account(t.Context())
	w.check(err)
	g, err := a.readme(t.Context(), packRef{kind: "Project", id: w.object(kidneyPath)})
	w.check(err)
	w.v.Invalidate()
	w.check(os.Remove(g.path))
	if after := w.read(path); !bytes.Equal(after, before) {
		t.Errorf("%d bytes, were %d", len(after), len(before))
	}
	_, m := w.decode(kidneyPath)
	if f := m.ByPath()[readmeName]; f.Size != int64(len(before)) || f.Hash != g.sha1 || f.Algorithm != pack.SHA1 {
		t.Errorf("in the manifest as %+v", f)
	}
}

// A pack without images has a page and no folder of thumbnails.
func TestEmptyPacksHaveNoThumbnails(t *testing.T) {
	w := newWorld(t)
	for kind, dir := range map[omero.Kind]string{omero.KindProject: "projects", omero.KindDataset: "datasets", omero.KindScreen: "screens"} {
		id, err := w.c.Create(w.lab(), kind, t.Name(), "", omero.Ref{})
		w.check(err)
		t.Cleanup(func() {
			if _, err := w.c.Delete(context.Background(), map[omero.Kind][]int64{kind: {id}}, omero.DeleteOptions{}); err != nil {
				t.Error(err)
			}
		})
		w.v.Invalidate()
		path := home + "/" + dir + "/" + t.Name()
		if got := w.names(path); !slices.Equal(got, []string{transferName, sumsName, readmeName}) {
			t.Errorf("%s: got %q", path, got)
		}
		if _, err := w.find(path + "/" + thumbnailsName); !errors.Is(err, tree.ErrNotFound) {
			t.Errorf("%s/thumbnails: got %v", path, err)
		}
	}
}
