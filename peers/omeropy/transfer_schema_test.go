//go:build peer

package omeropy

import (
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"omerods/internal/sandbox/wild"
)

// TestTransferXMLIsOMEXML validates the transfer.xml of every project, screen,
// dataset and plate of the sample and of random studies against OME's own
// schema, the omerods/pack part of each against ours, and has ome-types read
// them.
func TestTransferXMLIsOMEXML(t *testing.T) {
	ada := newPerson(t, "ada")
	for range 4 {
		seed := rand.Uint64N(1e9)
		t.Logf("study %d", seed)
		if _, err := wild.Fill(t.Context(), box.Target(), wild.Config{Seed: seed}); err != nil {
			t.Fatal(err)
		}
	}
	dir := mounted(t, "ada")
	groups, err := filepath.Glob(filepath.Join(dir, "omero", "*", "ada"))
	if err != nil || len(groups) < 2 {
		t.Fatalf("got %q, %v", groups, err)
	}
	var files []string
	for _, g := range groups {
		err := filepath.WalkDir(g, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.IsDir() && e.Name() == "attachments" {
				return filepath.SkipDir // an attachment may have that name
			}
			if err == nil && !e.IsDir() && e.Name() == "transfer.xml" { // a dataset may be called so
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var out struct {
		Wrong          map[string][]string
		Objects, Parts int
	}
	schema, err := filepath.Abs("../../docs/pack.xsd")
	if err != nil {
		t.Fatal(err)
	}
	ada.script(&out, "transfer_schema.py", append([]string{schema}, files...)...)
	if len(files) < 20 || out.Objects < 50 {
		t.Errorf("got %d documents with %d objects only", len(files), out.Objects)
	}
	if out.Parts != len(files) {
		t.Errorf("got %d parts of ours in %d documents", out.Parts, len(files))
	}
	for name, wrong := range out.Wrong {
		t.Errorf("%s: %s", strings.TrimPrefix(name, dir), strings.Join(wrong, "; "))
	}
}
