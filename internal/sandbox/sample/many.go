package sample

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// Bulk describes a dataset that is written straight into the server, without
// imports: very many images, or very large ones.
type Bulk struct {
	User, Group string
	Project     string // "" puts the dataset in no project
	Dataset     string
	Images      int
	FileBytes   int64 // of each original file; it has at least a small picture
	Shapes      int   // on each image, in one region of interest
}

// bulkImages is how many images one transaction makes.
const bulkImages = 1000

// Fill makes the dataset: for each image, which is tiny, a fileset of one file
// with its entry, pixels, channel and import job. The files are TIFF, with
// noise behind the picture up to their size; no two are the same.
func (b Bulk) Fill(ctx context.Context, t Target) (dataset int64, err error) {
	u := t.Store.Find("Experimenter", func(r *store.Row) bool { return r.Text("omeName") == b.User })
	g := t.Store.Find("ExperimenterGroup", func(r *store.Row) bool { return r.Text("name") == b.Group })
	if u == nil || g == nil {
		return 0, fmt.Errorf("no user %s or no group %s", b.User, b.Group)
	}
	l := &loader{ctx: ctx, t: t, actor: store.Actor{User: u.ID, Group: g.ID}}
	picture, err := imaging.TIFF(newTissue(7, 16, 16, 5).stack("field", imaging.Uint8, 1, 1, 1), false)
	if err != nil {
		return 0, err
	}
	var project *store.Row
	if b.Project != "" {
		if project, err = l.create("Project", store.Values{"name": b.Project}); err != nil {
			return 0, err
		}
	}
	d, err := l.dataset(project, b.Dataset, "")
	if err != nil {
		return 0, err
	}
	w := &bulk{Bulk: b, loader: l, dataset: d, picture: picture}
	for n := 0; n < b.Images; n += bulkImages {
		if err := w.some(n, min(n+bulkImages, b.Images)); err != nil {
			return 0, fmt.Errorf("fill dataset %s: %w", b.Dataset, err)
		}
	}
	return d.ID, nil
}

// bulk is a dataset on its way into the server.
type bulk struct {
	Bulk
	*loader
	dataset *store.Row
	picture []byte
}

// some makes the images from one number up to another.
func (w *bulk) some(from, to int) error {
	sums := make([]string, to-from)
	for n := from; n < to; n++ {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		var err error
		if sums[n-from], err = w.write(n); err != nil {
			return err
		}
	}
	return w.t.Store.Write(w.actor, func(a *store.Author) error {
		for n := from; n < to; n++ {
			if err := w.image(a, n, sums[n-from]); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *bulk) folder(n int) string {
	return fmt.Sprintf("%s_%d/bulk/%d/%05d", w.User, w.actor.User, w.dataset.ID, n)
}

func (w *bulk) name(n int) string { return fmt.Sprintf("field_%05d.tif", n) }

func (w *bulk) size() int64 { return max(w.FileBytes, int64(len(w.picture))+8) }

// write puts the file of an image on the disk and returns its SHA-1.
func (w *bulk) write(n int) (string, error) {
	dir := filepath.Join(w.t.Files.Dir(), w.t.Files.Description().Text("name"), w.folder(n))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	f, err := os.OpenFile(filepath.Join(dir, w.name(n)), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	head := binary.BigEndian.AppendUint64(slices.Clone(w.picture), uint64(n))
	noise := rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)})
	h := sha1.New()
	body := io.MultiReader(bytes.NewReader(head), io.LimitReader(noise, w.size()-int64(len(head))))
	if _, err = io.Copy(io.MultiWriter(f, h), body); err != nil {
		f.Close()
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), f.Close()
}

// image makes the rows of an image.
func (w *bulk) image(a *store.Author, n int, sum string) error {
	v := store.Values{
		"path": w.folder(n) + "/", "name": w.name(n), "repo": w.t.Files.UUID(), "mimetype": "image/tiff",
		"size": w.size(), "hash": sum, "hasher": repository.DefaultAlgorithm, "mtime": a.Tx().Now(),
	}
	file, err := a.Create("OriginalFile", v)
	if err != nil {
		return err
	}
	fileset, err := a.Create("Fileset", store.Values{"templatePrefix": w.folder(n) + "/"})
	if err != nil {
		return err
	}
	image, err := a.Create("Image", store.Values{
		"name": w.name(n), "series": 0, "archived": false, "partial": false, "fileset": fileset, "format": "Tiff", "acquisitionDate": day(1 + n%28),
	})
	if err != nil {
		return err
	}
	pixels, err := a.Create("Pixels", store.Values{
		"image": image, "pixelsType": string(imaging.Uint8), "significantBits": 8, "dimensionOrder": "XYZCT", "sha1": "Pending...",
		"sizeX": 16, "sizeY": 16, "sizeZ": 1, "sizeC": 1, "sizeT": 1,
	})
	if err != nil {
		return err
	}
	channel, err := a.Create("LogicalChannel", store.Values{"samplesPerPixel": 1, "photometricInterpretation": "Monochrome"})
	if err != nil {
		return err
	}
	now := a.Tx().Now()
	job, err := a.Create("UploadJob", store.Values{
		"username": w.User, "groupname": w.Group, "type": "Import", "message": "UploadJob", "status": "Finished",
		"submitted": now, "scheduledFor": now, "started": now, "finished": now,
		"versionInfo": []store.NamedValue{{Name: "bioformats.reader", Value: "loci.formats.in.TiffReader"}},
	})
	if err != nil {
		return err
	}
	for _, o := range []struct {
		class string
		v     store.Values
	}{
		{"FilesetEntry", store.Values{"fileset": fileset, "originalFile": file, "clientPath": home + "/bulk/" + w.name(n)}},
		{"Channel", store.Values{"pixels": pixels, "logicalChannel": channel, "red": 255, "green": 255, "blue": 255, "alpha": 255}},
		{"FilesetJobLink", store.Values{"parent": fileset, "child": job}},
		{"DatasetImageLink", store.Values{"parent": w.dataset, "child": image}},
	} {
		if _, err := a.Create(o.class, o.v); err != nil {
			return err
		}
	}
	return w.region(a, image)
}

// region draws the shapes of an image, of different kinds by turns.
func (w *bulk) region(a *store.Author, image *store.Row) error {
	if w.Shapes == 0 {
		return nil
	}
	roi, err := a.Create("Roi", store.Values{"image": image, "name": "cells"})
	if err != nil {
		return err
	}
	for n := range w.Shapes {
		at := float64(n) + 0.5
		class, v := "Rectangle", store.Values{"x": at, "y": at, "width": 3.0, "height": 2.0, "theZ": 0, "theT": 0}
		switch n % 3 {
		case 1:
			class, v = "Polygon", store.Values{"points": fmt.Sprintf("%d,0 %d,4 %d,7 0,%d", n, n+1, n+2, n)}
		case 2:
			class, v = "Ellipse", store.Values{"x": at, "y": at, "radiusX": 2.0, "radiusY": 1.0, "textValue": fmt.Sprintf("cell %d", n)}
		}
		v["roi"], v["strokeColor"], v["fillColor"] = roi, -16776961, 0x00ff0040
		if _, err := a.Create(class, v); err != nil {
			return err
		}
	}
	return nil
}
