package omero_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// cutter breaks the connection at the n-th request of an operation.
type cutter struct {
	op    string
	at    int32
	fault blitz.Fault
	seen  atomic.Int32
}

func (c *cutter) cut(op string) blitz.Fault {
	if op == c.op && c.seen.Add(1) == c.at {
		return c.fault
	}
	return blitz.FaultNone
}

// What changes nothing is done again on a new connection, whichever side of
// it the old one broke on; the answer is the one that it would have been.
func TestWhatIsSafeIsRepeated(t *testing.T) {
	c := common.login(t, "ada")
	ctx := t.Context()
	kidney := project(t, c, "Kidney")
	_, images := dataset(t, c, kidney.ID, "Confocal")
	var ids []int64
	for _, im := range images {
		ids = append(ids, im.ID)
	}
	pixels, err := c.PixelsOf(ctx, ids)
	check(t, err)
	var pix []int64
	for _, p := range pixels {
		pix = append(pix, p.ID)
	}
	for op, fn := range map[string]func() (any, error){
		"IQuery.projection":                           func() (any, error) { return c.Container(ctx, omero.KindProject, kidney.ID) },
		"IQuery.findAllByQuery":                       func() (any, error) { r, err := c.ROIs(ctx, ids); return len(r), err },
		"IAdmin.getEventContext":                      func() (any, error) { e, err := c.EventContext(ctx); return e.UserName, err },
		"RawPixelsStore.getTile":                      func() (any, error) { return tile(t, c, pixels[0], 16) },
		"RawPixelsStore.setPixelsId":                  func() (any, error) { return tile(t, c, pixels[0], 16) },
		"ServiceFactory.createRawPixelsStore":         func() (any, error) { return tile(t, c, pixels[0], 16) },
		"ThumbnailStore.getThumbnailByLongestSideSet": func() (any, error) { m, err := c.Thumbnails(ctx, pix, 24); return len(m), err },
		"ServiceFactory.createThumbnailStore":         func() (any, error) { m, err := c.Thumbnails(ctx, pix, 24); return len(m), err },
	} {
		want, err := fn()
		check(t, err)
		for _, fault := range []blitz.Fault{blitz.FaultBefore, blitz.FaultAfter} {
			cut := &cutter{op: op, at: 1, fault: fault}
			breakConnections(t, cut.cut)
			got, err := fn()
			faults.Store(nil)
			if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s, fault %d: got %v, %v; want %v", op, fault, got, err, want)
			}
			if cut.seen.Load() < 2 {
				t.Errorf("%s, fault %d: asked %d times, want a repetition", op, fault, cut.seen.Load())
			}
		}
	}
}

func tile(t *testing.T, c *omero.Client, p omero.Pixels, size int) (string, error) {
	t.Helper()
	r := c.OpenPixels(p)
	defer func() { check(t, r.Close()) }()
	b, err := r.Tile(t.Context(), 0, 0, 0, 0, 0, size, size)
	return string(b), err
}

// What changes something is sent once; when the answer is lost, the error says
// that nobody knows.
func TestWhatIsNotSafeIsSentOnce(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	id, err := c.Create(ctx, omero.KindProject, "unsure", "", omero.Ref{})
	check(t, err)
	ref := omero.Existing(omero.KindProject, id)
	p := pictured(t, c)
	color := int32(7)
	for name, tt := range map[string]struct {
		op string
		fn func() error
	}{
		"create": {"IUpdate.saveAndReturnIds", func() error { _, err := c.Create(ctx, omero.KindDataset, "x", "", omero.Ref{}); return err }},
		"annotate": {"IUpdate.saveAndReturnIds", func() error {
			_, err := c.Annotate(ctx, ref, omero.Annotation{Kind: omero.TagAnnotation, Text: "x"})
			return err
		}},
		"rename": {"IUpdate.saveObject", func() error { return c.Rename(ctx, omero.KindProject, id, "renamed") }},
		"channels": {"IUpdate.saveArray", func() error {
			return c.ChangeChannels(ctx, map[int64]omero.ChannelChange{p.Channels[0].ID: {Color: &color}})
		}},
		"rendering": {"IUpdate.saveArray", func() error {
			_, err := c.SaveRendering(ctx, p, omero.Rendering{Model: "rgb", BitResolution: 255, Channels: []omero.ChannelRendering{{Family: "linear"}, {Family: "linear"}, {Family: "linear"}}})
			return err
		}},
		"delete": {"ServiceFactory.submit", func() error {
			_, err := c.Delete(ctx, map[omero.Kind][]int64{omero.KindDataset: {1 << 40}}, omero.DeleteOptions{})
			return err
		}},
		"upload": {"IUpdate.saveAndReturnIds", func() error {
			_, err := c.UploadFile(ctx, omero.FileSpec{Name: "x"}, strings.NewReader("x"))
			return err
		}},
		"sudo": {"ISession.createSessionWithTimeouts", func() error { _, err := s.login(t, "root").As(ctx, "ada", ""); return err }},
		"import": {"ManagedRepository.importFileset", func() error {
			_, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"x.png"}})
			return err
		}},
	} {
		for _, fault := range []blitz.Fault{blitz.FaultBefore, blitz.FaultAfter} {
			cut := &cutter{op: tt.op, at: 1, fault: fault}
			breakConnections(t, cut.cut)
			err := tt.fn()
			n := cut.seen.Load()
			faults.Store(nil)
			var e *omero.Error
			if !errors.As(err, &e) || !e.Unsure || e.Class != omero.Offline {
				t.Errorf("%s, fault %d: got %v, want an unsure Offline", name, fault, err)
			}
			if n != 1 {
				t.Errorf("%s, fault %d: sent %d times", name, fault, n)
			}
			if _, err := c.EventContext(ctx); err != nil { // the next call connects
				t.Errorf("%s, fault %d: afterwards: %v", name, fault, err)
			}
		}
	}
}

// A file is read to its end although the connection breaks again and again in
// the middle of it.
func TestReadingOnAfterBreaks(t *testing.T) {
	c := common.login(t, "ada")
	ctx := inLab(t, c)
	data := make([]byte, 11<<20+77)
	for i := range data {
		data[i] = byte(i * 7 >> 3)
	}
	f, err := c.UploadFile(ctx, omero.FileSpec{Name: "long"}, bytes.NewReader(data))
	check(t, err)
	var n, cut atomic.Int32
	// One piece of the file may be under way at each of the breaks: they are fewer
	// than it is tried.
	breakConnections(t, func(op string) blitz.Fault {
		switch op {
		case "RawFileStore.read":
			if k := n.Add(1); k == 2 || k == 5 {
				cut.Add(1)
				return []blitz.Fault{blitz.FaultBefore, blitz.FaultAfter}[k%2]
			}
		case "RawFileStore.setFileId":
			if n.Load() == 6 {
				cut.Add(1)
				n.Add(1)
				return blitz.FaultBefore
			}
		}
		return blitz.FaultNone
	})
	r := c.OpenFile(f)
	got, err := io.ReadAll(io.NewSectionReader(readerAt{t, r}, 0, f.Size))
	check(t, err)
	check(t, r.Close())
	if !bytes.Equal(got, data) {
		t.Errorf("got %d bytes, want %d, or others", len(got), len(data))
	}
	if cut.Load() < 2 {
		t.Errorf("the connection broke %d times", cut.Load())
	}
}

type readerAt struct {
	t *testing.T
	r *omero.RemoteFile
}

func (r readerAt) ReadAt(p []byte, off int64) (int, error) { return r.r.ReadAt(r.t.Context(), p, off) }

// A session that the server has ended is replaced like a lost connection, for
// whatever comes next.
func TestASessionThatTheServerEnded(t *testing.T) {
	s := common
	c, root := s.login(t, "ada"), s.login(t, "root")
	ctx := inLab(t, c)
	_, images := dataset(t, c, project(t, c, "Kidney").ID, "Confocal")
	pixels, err := c.PixelsOf(ctx, []int64{images[0].ID})
	check(t, err)
	sets, err := c.Filesets(ctx, []int64{images[0].Fileset})
	check(t, err)
	f, p := c.OpenFile(sets[0].Entries[0].File), c.OpenPixels(pixels[0])
	large, err := c.UploadFile(ctx, omero.FileSpec{Name: "large"}, bytes.NewReader(make([]byte, 6<<20)))
	check(t, err)
	g := c.OpenFile(large)
	check(t, g.Check(ctx))                                                            // its store is open from now on
	warm, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"x.png"}}) // the repository is known then
	check(t, err)
	check(t, warm.Abort(ctx))
	for name, fn := range map[string]func() error{
		"a query":    func() error { _, err := c.Groups(ctx, false); return err },
		"reading":    func() error { c.CloseIdle(ctx); return f.Check(ctx) },
		"reading on": func() error { _, err := g.ReadAt(ctx, make([]byte, 10), 5<<20); return err },
		"pixels":     func() error { _, err := p.Tile(ctx, 0, 0, 0, 0, 0, 8, 8); return err },
		"thumbnails": func() error { _, err := c.Thumbnails(ctx, []int64{pixels[0].ID}, 32); return err },
		"creating":   func() error { _, err := c.Create(ctx, omero.KindDataset, "x", "", omero.Ref{}); return err },
		"deleting": func() error {
			_, err := c.Delete(ctx, map[omero.Kind][]int64{omero.KindDataset: {mustCreate(t, s, "x")}}, omero.DeleteOptions{})
			return err
		},
		"uploading": func() error {
			_, err := c.UploadFile(ctx, omero.FileSpec{Name: "x"}, strings.NewReader("x"))
			return err
		},
		"an import": func() error {
			im, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"x.png"}})
			return errors.Join(err, abort(ctx, im))
		},
		"acting as": func() error { as, err := root.As(ctx, "juergen", ""); return errors.Join(err, as.Close()) },
	} {
		key, err := c.SessionKey(ctx)
		check(t, err)
		check(t, root.EndSession(ctx, key))
		if s.open(key) {
			t.Fatal("the session is still there")
		}
		if err := fn(); err != nil {
			t.Errorf("%s: got %v", name, err)
		}
		if now, err := c.SessionKey(ctx); name != "acting as" && (err != nil || now == key) {
			t.Errorf("%s: the session is the same, %v", name, err)
		}
	}
	for _, r := range []io.Closer{f, g, p} {
		check(t, r.Close())
	}
}

func abort(ctx context.Context, im *omero.Import) error {
	if im == nil {
		return nil
	}
	return im.Abort(ctx)
}

// mustCreate makes a dataset behind the client's back.
func mustCreate(t *testing.T, s *server, name string) (id int64) {
	t.Helper()
	u := s.store.Find("Experimenter", func(r *store.Row) bool { return r.Text("omeName") == "ada" })
	g := s.store.Find("ExperimenterGroup", func(r *store.Row) bool { return r.Text("name") == sample.LabGroup })
	check(t, s.store.Write(store.Actor{User: u.ID, Group: g.ID}, func(a *store.Author) error {
		d, err := a.Create("Dataset", store.Values{"name": name})
		if err == nil {
			id = d.ID
		}
		return err
	}))
	return id
}
