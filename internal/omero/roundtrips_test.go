package omero_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// counted is a server that counts the requests it gets.
type counted struct {
	*server
	n atomic.Int64
}

func newCounted(t *testing.T) *counted {
	t.Helper()
	c := new(counted)
	c.server = ownServer(t, blitz.Config{Fault: func(op string, _ int64) blitz.Fault {
		if !strings.HasSuffix(op, ".keepAlive") { // comes by the clock
			c.n.Add(1)
		}
		return blitz.FaultNone
	}}, sample.People)
	return c
}

// requests counts those that fn makes.
func (c *counted) requests(t *testing.T, fn func() (rows int, err error)) (requests, rows int) {
	t.Helper()
	before := c.n.Load()
	rows, err := fn()
	check(t, err)
	return int(c.n.Load() - before), rows
}

// many is a dataset of very many images, with what listings ask about.
type many struct {
	dataset                          int64
	images, filesets, files, comment []int64
	plate                            int64
}

// fill makes a dataset of n images, each with a comment and a region, and a
// plate of n wells.
func (c *counted) fill(t *testing.T, cl *omero.Client, n int) many {
	t.Helper()
	b := sample.Bulk{User: "ada", Group: sample.LabGroup, Dataset: fmt.Sprintf("%d images", n), Images: n, FileBytes: 1}
	id, err := b.Fill(t.Context(), sample.Target{Store: c.store, Files: c.files})
	check(t, err)
	m := many{dataset: id}
	actor := store.Actor{User: cl.Who().User, Group: cl.Who().Group}
	check(t, c.store.Write(actor, func(a *store.Author) error {
		for _, link := range a.Tx().Collection(a.Tx().Model().Class("Dataset").Property("imageLinks"), id) {
			im := a.Tx().Get(a.Tx().Model().Class("Image"), link.Ref("child"))
			m.images, m.filesets = append(m.images, im.ID), append(m.filesets, im.Ref("fileset"))
			note, err := a.Create("CommentAnnotation", store.Values{"textValue": "x"})
			if err != nil {
				return err
			}
			m.comment = append(m.comment, note.ID)
			if _, err := a.Create("ImageAnnotationLink", store.Values{"parent": im, "child": note}); err != nil {
				return err
			}
			roi, err := a.Create("Roi", store.Values{"image": im})
			if err != nil {
				return err
			}
			if _, err := a.Create("Point", store.Values{"roi": roi, "x": 1.0, "y": 1.0}); err != nil {
				return err
			}
			for _, e := range a.Tx().Collection(a.Tx().Model().Class("Fileset").Property("usedFiles"), im.Ref("fileset")) {
				m.files = append(m.files, e.Ref("originalFile"))
			}
		}
		if _, err := a.Create("Image", store.Values{"name": "in no dataset", "archived": false, "partial": false}); err != nil {
			return err
		}
		p, err := a.Create("Plate", store.Values{"name": "many"})
		if err != nil {
			return err
		}
		m.plate = p.ID
		for i, im := range m.images {
			w, err := a.Create("Well", store.Values{"plate": p, "row": i / 100, "column": i % 100})
			if err != nil {
				return err
			}
			if _, err := a.Create("WellSample", store.Values{"well": w, "image": im}); err != nil {
				return err
			}
		}
		return nil
	}))
	return m
}

// Whatever is listed, the number of round trips per thousand rows is the same
// for one object and for thousands.
func TestListingsCostAConstantNumberOfRoundTrips(t *testing.T) {
	c := newCounted(t)
	cl := c.login(t, "ada")
	ctx := t.Context()
	sizes := []int{1, 1000, 5000}
	var filled []many
	for _, n := range sizes {
		filled = append(filled, c.fill(t, cl, n))
	}
	_, err := cl.Thumbnails(ctx, nil, 16) // so that every service is known
	check(t, err)
	type listing struct {
		name string
		list func(m many) (rows int, err error)
	}
	length := func(n int, err error) (int, error) { return n, err }
	for _, l := range []listing{
		{"ImagesOf", func(m many) (int, error) {
			l, _, err := cl.ImagesOf(ctx, []int64{m.dataset})
			return length(len(l), err)
		}},
		{"ImagesByID", func(m many) (int, error) { l, err := cl.ImagesByID(ctx, m.images); return length(len(l), err) }},
		{"ImagesOfFilesets", func(m many) (int, error) { l, err := cl.ImagesOfFilesets(ctx, m.filesets); return length(len(l), err) }},
		{"Filesets", func(m many) (int, error) { l, err := cl.Filesets(ctx, m.filesets); return length(len(l), err) }},
		{"ImportInfo", func(m many) (int, error) {
			l, err := cl.ImportInfo(ctx, omero.These(m.filesets))
			return length(len(l), err)
		}},
		{"OriginalFiles", func(m many) (int, error) { l, err := cl.OriginalFiles(ctx, m.files); return length(len(l), err) }},
		{"PixelsOf", func(m many) (int, error) { l, err := cl.PixelsOf(ctx, m.images); return length(len(l), err) }},
		{"Renderings", func(m many) (int, error) { _, err := cl.Renderings(ctx, m.images); return len(m.images), err }},
		{"ImageSettings", func(m many) (int, error) { l, err := cl.ImageSettings(ctx, m.images); return length(len(l), err) }},
		{"Planes", func(m many) (int, error) { _, err := cl.Planes(ctx, m.images); return len(m.images), err }},
		{"Instruments", func(m many) (int, error) {
			_, err := cl.Instruments(ctx, omero.These(m.images))
			return len(m.images), err
		}},
		{"Experiments", func(m many) (int, error) { _, err := cl.Experiments(ctx, m.images); return len(m.images), err }},
		{"Unreferenced", func(m many) (int, error) {
			l, err := cl.Unreferenced(ctx, omero.KindInstrument, m.images)
			return length(len(l), err)
		}},
		{"AnnotationLinks", func(m many) (int, error) {
			l, err := cl.AnnotationLinks(ctx, omero.KindImage, m.images)
			return length(len(l), err)
		}},
		{"Annotations", func(m many) (int, error) { l, err := cl.Annotations(ctx, m.comment); return length(len(l), err) }},
		{"TagSetLinks", func(m many) (int, error) { _, err := cl.TagSetLinks(ctx, m.comment); return len(m.comment), err }},
		{"ROIs", func(m many) (int, error) { l, err := cl.ROIs(ctx, m.images); return length(len(l), err) }},
		{"RightsOn", func(m many) (int, error) {
			l, err := cl.RightsOn(ctx, omero.KindImage, m.images)
			return length(len(l), err)
		}},
		{"BytesWithheld", func(m many) (int, error) {
			l, err := cl.BytesWithheld(ctx, omero.KindOriginalFile, m.files)
			return length(len(l), err)
		}},
		{"LinkedImages", func(m many) (int, error) { l, err := cl.LinkedImages(ctx, m.images); return length(len(l), err) }},
		{"FileAnnotationsIn", func(m many) (int, error) {
			_, err := cl.FileAnnotationsIn(ctx, omero.KindDataset, m.dataset, "")
			return len(m.images), err
		}},
		{"WellsOf", func(m many) (int, error) { l, err := cl.WellsOf(ctx, []int64{m.plate}); return length(len(l), err) }},
		{"FieldsOf", func(m many) (int, error) { l, err := cl.FieldsOf(ctx, []int64{m.plate}); return length(len(l), err) }},
		{"RunsOf", func(m many) (int, error) { _, err := cl.RunsOf(ctx, []int64{m.plate}); return len(m.images), err }},
		{"ReagentsInWells", func(m many) (int, error) {
			_, err := cl.ReagentsInWells(ctx, []int64{m.plate})
			return len(m.images), err
		}},
		{"ChangeToken", func(m many) (int, error) {
			_, err := cl.ChangeToken(ctx, omero.KindDataset, m.dataset, "")
			return len(m.images), err
		}},
	} {
		var one int
		for i, n := range sizes {
			requests, rows := c.requests(t, func() (int, error) { return l.list(filled[i]) })
			if i == 0 {
				one = requests
			}
			if rows != n {
				t.Errorf("%s: %d rows, want %d", l.name, rows, n)
			}
			if most := one * ((n + 999) / 1000); requests < 1 || requests > most {
				t.Errorf("%s of %d: %d requests, want at most %d", l.name, n, requests, most)
			}
		}
	}
	// What is listed by its owner is many rows too.
	for name, list := range map[string]func() (int, error){
		"OrphanImages": func() (int, error) {
			l, err := cl.OrphanImages(ctx, cl.Who().Group, cl.Who().User, "x", "y")
			return len(l), err
		},
		"Containers": func() (int, error) {
			l, err := cl.Containers(ctx, omero.KindPlate, cl.Who().Group, cl.Who().User)
			return len(l), err
		},
		"OrphanDatasets": func() (int, error) {
			l, err := cl.OrphanDatasets(ctx, cl.Who().Group, cl.Who().User)
			return len(l), err
		},
		"OrphanPlates": func() (int, error) { l, err := cl.OrphanPlates(ctx, cl.Who().Group, cl.Who().User); return len(l), err },
	} {
		if requests, rows := c.requests(t, list); requests != 1 || rows == 0 {
			t.Errorf("%s: %d requests for %d rows", name, requests, rows)
		}
	}
}

// Bytes cost one request for each MiB, and opening; a thousand small reads
// of one place cost no more.
func TestReadingCostsFewRoundTrips(t *testing.T) {
	c := newCounted(t)
	cl := c.login(t, "ada")
	ctx := inLab(t, cl)
	const size = 9 << 20
	f, err := cl.UploadFile(ctx, omero.FileSpec{Name: "large"}, bytes.NewReader(make([]byte, size)))
	check(t, err)
	requests, _ := c.requests(t, func() (int, error) {
		r := cl.OpenFile(f)
		p := make([]byte, 4096)
		for off := int64(0); off < size; off += int64(len(p)) {
			if _, err := r.ReadAt(ctx, p, off); err != nil {
				return 0, err
			}
		}
		return size, r.Close()
	})
	// createRawFileStore, addProxies, setFileId, size, nine reads, close.
	if requests != 14 {
		t.Errorf("%d requests for %d MiB", requests, size>>20)
	}
}
