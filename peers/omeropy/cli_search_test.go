//go:build peer

package omeropy

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"omerods/internal/sandbox/store"
)

// TestSearch searches the full text.
func TestSearch(t *testing.T) {
	p, lab := loggedIn(t, "ada"), groupID(t, "lab")
	find := func(args ...string) (ids []string) {
		t.Helper()
		out := p.omero(append([]string{"search", "--style", "json"}, args...)...)
		// A batch of results is a table of its own.
		for _, line := range strings.Split(out, "\n") {
			var row map[string]string
			if json.Unmarshal([]byte(strings.Trim(strings.TrimSpace(line), "[],")), &row) == nil {
				ids = append(ids, row["Id"])
			}
		}
		slices.Sort(ids)
		return ids
	}
	want := func(class string, keep func(*store.Row) bool) (ids []string) {
		for _, r := range where(visible(class, lab), keep) {
			ids = append(ids, text(r.ID))
		}
		slices.Sort(ids)
		return ids
	}
	named := func(part string) func(*store.Row) bool {
		return func(r *store.Row) bool { return strings.Contains(strings.ToLower(r.Text("name")), part) }
	}
	same(t, "a word", find("Dataset", "Confocal"), want("Dataset", named("confocal")))
	same(t, "a wildcard", find("Image", "overv*", "--field", "name"), want("Image", named("overv")))
	s := box.Store()
	tag := s.Find("TagAnnotation", func(r *store.Row) bool { return r.Text("textValue") == "Färbung: LAMP1" })
	tagged := make(map[int64]bool)
	s.Each("ImageAnnotationLink", func(l *store.Row) bool {
		if l.Ref("child") == tag.ID {
			tagged[l.Ref("parent")] = true
		}
		return true
	})
	same(t, "a tag", find("Image", "färbung", "--field", "tag"), want("Image", func(r *store.Row) bool { return tagged[r.ID] }))
	p.fails("No results", "search", "Image", "nirgendwo")
}
