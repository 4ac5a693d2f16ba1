package omero_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"omerods/internal/ice"
	"omerods/internal/omero"
	"omerods/internal/sandbox/blitz"
	"omerods/internal/sandbox/sample"
)

// Servers that are too old or too new are refused at login, in words.
func TestVersionsThatAreRefused(t *testing.T) {
	for version, words := range map[string][]string{
		"5.3.5-ice36-b73": {"5.3.5", "too old", "5.4"}, "4.4.12": {"4.4.12", "too old"}, "6.0.0": {"6.0.0", "newer"},
		"UNKNOWN": {"UNKNOWN", "cannot be read"},
	} {
		s := ownServer(t, blitz.Config{Version: version}, sample.People)
		_, err := omero.Connect(t.Context(), omero.Config{Addresses: []string{s.addr}, User: "ada", Password: "ada"})
		if !errors.Is(err, omero.Unsupported) {
			t.Errorf("%s: got %v, want an Unsupported", version, err)
			continue
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: got %q, want %q in it", version, err, w)
			}
		}
	}
}

// definitions54 are the Slice definitions as OMERO 5.4 had them: the answers
// to some commands are not derived from OK.
func definitions54(t *testing.T) *ice.Definitions {
	t.Helper()
	files := make(map[string][]byte)
	root := os.DirFS("slice")
	changed := 0
	check(t, fs.WalkDir(root, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".ice" {
			return err
		}
		text, err := fs.ReadFile(root, path)
		for _, class := range []string{"ImportResponse", "DiskUsage2Response", "OriginalMetadataResponse", "UsedFilesResponse", "UsedFilesResponsePreFs"} {
			now := []byte("class " + class + " extends omero::cmd::OK")
			changed += bytes.Count(text, now)
			text = bytes.ReplaceAll(text, now, []byte("class "+class+" extends omero::cmd::Response"))
		}
		files[path] = text
		return err
	}))
	if changed != 5 {
		t.Fatalf("%d classes changed, want 5", changed)
	}
	defs, err := ice.ParseSlice(files)
	check(t, err)
	return defs
}

// A server of version 5.4 is worked with as one of today.
func TestAnOlderServer(t *testing.T) {
	s := ownServer(t, blitz.Config{Version: "5.4.10-ice36-b105", Definitions: definitions54(t)}, sample.People)
	c := s.login(t, "ada")
	if v := c.Server().Version; v != "5.4.10-ice36-b105" {
		t.Errorf("got version %q", v)
	}
	ctx := inLab(t, c)
	im, err := c.BeginImport(ctx, omero.ImportSpec{ClientPaths: []string{"old.png"}})
	check(t, err)
	_, _, err = im.Upload(ctx, 0, bytes.NewReader(testPNG(t)))
	check(t, err)
	res, err := im.Finish(ctx, nil)
	check(t, err)
	if len(res.Images) != 1 {
		t.Errorf("got %+v", res)
	}
	check(t, c.Rename(ctx, omero.KindImage, res.Images[0], "renamed"))
	check(t, im.Abort(ctx))
}
