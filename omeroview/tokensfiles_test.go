package omeroview

import (
	"fmt"
	"strings"
	"testing"

	"omerods/internal/omero"
	"omerods/internal/sandbox/store"
)

// silently changes a row as what writes files in place may: no event tells.
func (w *world) silently(row *store.Row, v store.Values) {
	w.t.Helper()
	w.check(w.store.Write(store.Actor{User: row.Owner, Group: row.Group}, func(a *store.Author) error {
		now := a.Tx().Get(row.Class, row.ID).Clone()
		if err := a.Tx().Fill(now, v); err != nil {
			return err
		}
		a.Tx().Put(now)
		return nil
	}))
}

// An attached file that is written anew in place moves the token, and so does
// what is done to a figure, which is linked to nothing.
func TestFilesInPlaceAndFiguresMoveTheToken(t *testing.T) {
	w := ownWorld(t)
	kidney := w.store.Find("Project", func(r *store.Row) bool { return r.Text("name") == "Kidney" })
	p := packRef{kind: omero.KindProject, id: kidney.ID}
	dataset := w.store.Collection("Project", kidney.ID, "datasetLinks")[0].Ref("child")
	image := w.store.Collection("Dataset", dataset, "imageLinks")[0].Ref("child")
	protocol := w.fileNamed("protocol.md")
	made := map[string]*store.Row{}
	create := func(class string, v store.Values) func() {
		return func() {
			w.check(w.store.Write(store.Actor{User: kidney.Owner, Group: kidney.Group}, func(a *store.Author) error {
				for name, x := range v {
					if f, ok := x.(func() *store.Row); ok {
						v[name] = f()
					}
				}
				row, err := a.Create(class, v)
				made[class] = row
				return err
			}))
		}
	}
	was := func(class string) func() *store.Row { return func() *store.Row { return made[class] } }
	file := store.Values{"name": "plan.txt", "path": "x/", "size": int64(3), "hash": strings.Repeat("1", 40), "hasher": "SHA1-160"}
	create("OriginalFile", file)()
	create("FileAnnotation", store.Values{"ns": omero.NamespaceFigure, "file": was("OriginalFile"), "description": fmt.Sprintf(`{"imageId": %d}`, image)})()
	figure, figureFile := made["FileAnnotation"], made["OriginalFile"]
	before := w.sight(p)
	for _, c := range []struct {
		what string
		do   func()
	}{
		{"the hash of an attached file", func() { w.silently(protocol, store.Values{"hash": strings.Repeat("0", 40)}) }},
		{"the size of an attached file", func() { w.silently(protocol, store.Values{"size": int64(77)}) }},
		{"the hash of a figure's file", func() { w.silently(figureFile, store.Values{"hash": strings.Repeat("2", 40)}) }},
		{"a tag", create("TagAnnotation", store.Values{"textValue": "panel"})},
		{"the tag put on a figure", create("AnnotationAnnotationLink", store.Values{"parent": figure, "child": was("TagAnnotation")})},
		{"another name of the tag", func() {
			w.check(w.store.Write(store.Actor{User: kidney.Owner, Group: kidney.Group}, func(a *store.Author) error {
				now := a.Tx().Get(made["TagAnnotation"].Class, made["TagAnnotation"].ID).Clone()
				a.Update(now)
				return a.Tx().Fill(now, store.Values{"textValue": "panels"})
			}))
		}},
		{"a comment", create("CommentAnnotation", store.Values{"textValue": "of the file"})},
		{"the comment put on a figure's file", create("OriginalFileAnnotationLink", store.Values{"parent": figureFile, "child": was("CommentAnnotation")})},
		{"a tag set", create("TagAnnotation", store.Values{"textValue": "set", "ns": omero.NamespaceTagSet})},
	} {
		c.do()
		now := w.sight(p)
		before.moved(t, c.what, now)
		before = now
	}
}
