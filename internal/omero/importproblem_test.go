package omero_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// bring imports files and returns how that ended; the import is not cleaned up.
func bring(t *testing.T, c *omero.Client, ctx context.Context, target omero.Ref, files ...imaging.NamedFile) (*omero.Import, error) {
	t.Helper()
	spec := omero.ImportSpec{Target: target}
	for _, f := range files {
		spec.ClientPaths = append(spec.ClientPaths, "some/where/"+f.Name)
	}
	im, err := c.BeginImport(ctx, spec)
	check(t, err)
	for i, f := range files {
		_, _, err := im.Upload(ctx, i, bytes.NewReader(f.Data))
		check(t, err)
	}
	_, err = im.Finish(ctx, nil)
	return im, err
}

// What is wrong with the files is said of the files, and after Abort nothing
// is left of them.
func TestImportsThatCannotSucceed(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	p := imaging.Picture{Series: imaging.Series{Name: "set", SizeX: 4, SizeY: 4, SizeZ: 1, SizeC: 2, SizeT: 1, Type: imaging.Uint8},
		Plane: func(_, c, _ int) []byte { return bytes.Repeat([]byte{byte(c + 1)}, 16) }}
	var parts []imaging.Part
	for ch := range 2 {
		parts = append(parts, imaging.Part{Name: string(rune('a'+ch)) + ".ome.tiff", Holds: func(_, _, at, _ int) bool { return at == ch }})
	}
	set, err := imaging.OMETIFFSet([]imaging.Picture{p}, parts, imaging.Options{})
	check(t, err)
	grace := s.login(t, "grace")
	theirs, err := grace.Create(omero.InGroup(t.Context(), group(t, grace, sample.LabGroup).ID), omero.KindDataset, "grace's", "", omero.Ref{})
	check(t, err)
	for name, tt := range map[string]struct {
		files  []imaging.NamedFile
		target omero.Ref
		class  omero.Class
		words  []string
	}{
		"no format":      {[]imaging.NamedFile{{Name: "notes.xyz", Data: []byte("no image")}}, omero.Ref{}, omero.Invalid, []string{"format", `"notes.xyz"`}},
		"cut off":        {[]imaging.NamedFile{{Name: "half.png", Data: testPNG(t)[:40]}}, omero.Ref{}, omero.Invalid, []string{`"half.png"`, "cut off"}},
		"a part missing": {set[:1], omero.Ref{}, omero.Invalid, []string{`"a.ome.tiff"`, "missing"}},
		"not permitted":  {[]imaging.NamedFile{{Name: "p.png", Data: testPNG(t)}}, omero.Existing(omero.KindDataset, theirs), omero.Denied, []string{"permit", `"p.png"`}},
	} {
		im, err := bring(t, c, ctx, tt.target, tt.files...)
		if !errors.Is(err, tt.class) {
			t.Errorf("%s: got %v, want a %v", name, err, tt.class)
		}
		for _, w := range tt.words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%s: got %v, want %q in it", name, err, w)
			}
		}
		left := s.store.Get("Fileset", im.Fileset())
		if left == nil {
			t.Errorf("%s: nothing to clean up", name)
			continue
		}
		prefix := left.Text("templatePrefix")
		check(t, im.Abort(ctx))
		if s.store.Get("Fileset", im.Fileset()) != nil || s.store.Find("OriginalFile", func(r *store.Row) bool {
			return strings.HasPrefix(r.Text("path"), prefix) && r.Text("mimetype") != "Directory" && !strings.HasSuffix(r.Text("name"), ".log")
		}) != nil {
			t.Errorf("%s: something is left", name)
		}
	}
}

// A file that arrived damaged is named, brought again, and the import done.
func TestADamagedUploadIsRepaired(t *testing.T) {
	s := common
	c := s.login(t, "ada")
	ctx := inLab(t, c)
	im, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"d/first.png"}})
	check(t, err)
	data := testPNG(t)
	_, _, err = im.Upload(ctx, 0, bytes.NewReader(data))
	check(t, err)
	// The disk flips a bit after the client has counted its sum.
	file := s.store.Collection("Fileset", im.Fileset(), "usedFiles")[0].Ref("originalFile")
	check(t, s.store.Write(store.Root, func(a *store.Author) error {
		row := a.Tx().Get(a.Tx().Model().Class("OriginalFile"), file).Clone()
		if err := a.Tx().Fill(row, store.Values{"hash": strings.Repeat("0", 40)}); err != nil {
			return err
		}
		a.Update(row)
		return nil
	}))
	_, err = im.Finish(ctx, nil)
	var d *omero.DamagedError
	if !errors.Is(err, omero.Checksum) || !errors.As(err, &d) || !slices.Equal(d.Entries, []int{0}) || !strings.Contains(err.Error(), "first.png") {
		t.Fatalf("got %v", err)
	}
	_, _, err = im.Upload(ctx, 0, bytes.NewReader(data))
	check(t, err)
	res, err := im.Finish(ctx, nil)
	check(t, err)
	if len(res.Images) != 1 {
		t.Errorf("got %+v", res)
	}
	check(t, im.Abort(ctx))
}

// An import whose beginning nobody heard of leaves no fileset.
func TestALostBeginningIsCleanedUp(t *testing.T) {
	s := common
	for name, fault := range map[string]blitz.Fault{"before": blitz.FaultBefore, "after": blitz.FaultAfter} {
		c := s.login(t, "ada")
		ctx := inLab(t, c)
		var cut atomic.Int32
		breakConnections(t, func(op string) blitz.Fault {
			if op == "ManagedRepository.importFileset" && cut.Add(1) == 1 {
				return fault
			}
			return blitz.FaultNone
		})
		before := s.store.Count("Fileset")
		_, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"x.png"}})
		var e *omero.Error
		if !errors.As(err, &e) || e.Class != omero.Offline || !e.Unsure {
			t.Errorf("%s: got %v, want an unsure Offline", name, err)
		}
		if cut.Load() != 1 {
			t.Errorf("%s: the import was begun %d times", name, cut.Load())
		}
		if n := s.store.Count("Fileset"); n != before {
			t.Errorf("%s: %d filesets are left", name, n-before)
		}
	}
}

// Giving up in any stage removes what is there, also when the connection
// breaks while it is removed.
func TestGivingUp(t *testing.T) {
	s := common
	var stage atomic.Value
	stage.Store("")
	var cut atomic.Int32
	breakConnections(t, func(op string) blitz.Fault {
		if op == stage.Load() && cut.Add(1) == 1 {
			return blitz.FaultAfter
		}
		return blitz.FaultNone
	})
	for _, op := range []string{"ImportProcess.getUploader", "RawFileStore.write", "RawFileStore.close", "ImportProcess.verifyUpload", "Handle.getResponse", "ServiceFactory.submit"} {
		c := s.login(t, "ada")
		ctx := inLab(t, c)
		before := s.store.Count("Fileset")
		stage.Store("")
		im, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"x.png"}})
		check(t, err)
		cut.Store(0)
		stage.Store(op)
		_, _, err = im.Upload(ctx, 0, bytes.NewReader(testPNG(t)))
		if err == nil {
			_, err = im.Finish(ctx, nil)
		}
		if op != "ServiceFactory.submit" && !errors.Is(err, omero.Offline) {
			t.Errorf("%s: got %v, want an Offline", op, err)
		}
		check(t, im.Abort(ctx))
		if cut.Load() == 0 {
			t.Errorf("%s: nothing was cut", op)
		}
		if n := s.store.Count("Fileset"); n != before {
			t.Errorf("%s: %d filesets are left", op, n-before)
		}
	}
}

// A source that fails is an error of the upload, not of the server; the file
// can be brought again.
func TestASourceThatFails(t *testing.T) {
	c := common.login(t, "ada")
	ctx := inLab(t, c)
	im, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"x.png"}})
	check(t, err)
	broken := errors.New("broken source")
	if _, _, err := im.Upload(ctx, 0, io.MultiReader(bytes.NewReader(testPNG(t)[:10]), &failing{broken})); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	_, _, err = im.Upload(ctx, 0, bytes.NewReader(testPNG(t)))
	check(t, err)
	_, err = im.Finish(ctx, nil)
	check(t, err)
	check(t, im.Abort(ctx))
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }
