package omero_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"image"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"omerods/internal/omero"
)

func testPNG(t *testing.T) []byte {
	t.Helper()
	im := image.NewGray(image.Rect(0, 0, 9, 7))
	for i := range im.Pix {
		im.Pix[i] = byte(i * 3)
	}
	var b bytes.Buffer
	check(t, png.Encode(&b, im))
	return b.Bytes()
}

func TestImport(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	ds, err := c.Create(ctx, omero.KindDataset, "imported", "", omero.Ref{})
	check(t, err)
	im, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"some/where/small.png"}, Reader: "loci.formats.in.APNGReader",
		Target: omero.Existing(omero.KindDataset, ds), Annotations: []omero.Annotation{{Kind: omero.CommentAnnotation, Namespace: "test/mark", Text: "x"}}})
	check(t, err)
	if _, err := im.Finish(ctx, nil); !errors.Is(err, omero.Invalid) {
		t.Errorf("finish without the file: got %v", err)
	}
	data := testPNG(t)
	sum, size, err := im.Upload(ctx, 0, bytes.NewReader(data))
	check(t, err)
	if want := sha1.Sum(data); sum != hex.EncodeToString(want[:]) || size != int64(len(data)) {
		t.Errorf("got %s, %d bytes", sum, size)
	}
	res, err := im.Finish(ctx, func(omero.Progress) {})
	check(t, err)
	if res.Fileset != im.Fileset() || len(res.Images) != 1 {
		t.Fatalf("got %+v", res)
	}
	images, _, err := c.ImagesOf(ctx, []int64{ds})
	check(t, err)
	if len(images) != 1 || images[0].ID != res.Images[0] || images[0].Name != "small.png" {
		t.Errorf("in the dataset: %+v", images)
	}
	sets, err := c.Filesets(ctx, []int64{res.Fileset})
	check(t, err)
	if f := sets[0].Entries[0]; f.File.Hash != sum || f.File.Size != size || !strings.HasSuffix(f.ClientPath, "small.png") {
		t.Errorf("file: got %+v", f)
	}
	links, err := c.AnnotationLinks(ctx, omero.KindImage, res.Images)
	check(t, err)
	if len(links) != 1 {
		t.Errorf("got %d annotations, want 1", len(links))
	}
	check(t, im.Abort(ctx))
	if sets, err := c.Filesets(ctx, []int64{res.Fileset}); err != nil || len(sets) != 0 {
		t.Errorf("after abort: %v, %v", sets, err)
	}
	if images, err := c.ImagesByID(ctx, res.Images); err != nil || len(images) != 0 {
		t.Errorf("after abort: %v, %v", images, err)
	}
}

func TestImportOfNoImageFails(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	im, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"notes.xyz"}})
	check(t, err)
	_, _, err = im.Upload(ctx, 0, strings.NewReader("no image"))
	check(t, err)
	if _, err := im.Finish(ctx, nil); err == nil {
		t.Error("imported")
	}
	check(t, im.Abort(ctx))
	if _, err := c.BeginImport(ctx, omero.ImportSpec{}); !errors.Is(err, omero.Invalid) {
		t.Errorf("no files: got %v", err)
	}
}

// An import that was given up leaves a fileset without images, which its owner
// finds again; one that may still be under way is left alone.
func TestUnfinishedFilesets(t *testing.T) {
	c := common.login(t, "ada")
	ctx := inLab(t, c)
	im, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"given-up.png"},
		Info: []omero.Pair{{Key: omero.InfoPrefix + "test", Value: "a mark"}}})
	check(t, err)
	if ids, err := c.FilesetsByInfo(ctx, omero.InfoPrefix+"test", "a mark"); err != nil || !slices.Equal(ids, []int64{im.Fileset()}) {
		t.Errorf("by its mark: got %v, %v", ids, err)
	}
	unfinished := func(before time.Time) bool {
		ids, err := c.UnfinishedFilesets(ctx, c.Who().User, before)
		check(t, err)
		return slices.Contains(ids, im.Fileset())
	}
	if !unfinished(time.Now().Add(time.Minute)) {
		t.Error("it is not found")
	}
	if unfinished(time.Now().Add(-time.Minute)) {
		t.Error("one that has just begun is found")
	}
	check(t, im.Abort(ctx))
	if unfinished(time.Now().Add(time.Minute)) {
		t.Error("it is still there")
	}
}

func TestThumbnails(t *testing.T) {
	c := common.login(t, "ada")
	_, images := dataset(t, c, project(t, c, "Kidney").ID, "Confocal")
	var ids []int64
	for _, im := range images {
		ids = append(ids, im.ID)
	}
	list, err := c.PixelsOf(t.Context(), ids)
	check(t, err)
	ids = nil
	for _, p := range list {
		ids = append(ids, p.ID)
	}
	small, err := c.Thumbnails(t.Context(), ids, 32)
	check(t, err)
	if len(small) != len(ids) {
		t.Errorf("got %d thumbnails, want %d", len(small), len(ids))
	}
	for id, data := range small {
		cfg, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || max(cfg.Width, cfg.Height) != 32 {
			t.Errorf("pixels %d: %d by %d, %v", id, cfg.Width, cfg.Height, err)
		}
	}
}
