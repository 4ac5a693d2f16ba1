package omeroview

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"omerods/internal/omero"
	"omerods/internal/pack"
	"omerods/internal/sandbox/graph"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
	"omerods/internal/sandbox/wild"
)

// sight is what a pack looks like from outside.
type sight struct {
	token string
	mtime time.Time
	xml   []byte // as if it were always made at the same time
}

func (w *world) sight(p packRef) sight {
	w.t.Helper()
	w.v.Invalidate()
	a, err := w.v.account(w.t.Context())
	w.check(err)
	s, err := a.state(w.t.Context(), p)
	w.check(err)
	doc, m, err := w.v.PackDocument(w.t.Context(), p.kind, p.id)
	w.check(err)
	doc.Packed = time.Unix(0, 0).UTC()
	var b bytes.Buffer
	w.check(pack.Encode(&b, doc, m))
	// What is asked by the extent of the state is the same.
	doc, m, err = a.document(w.t.Context(), p, s.extent)
	w.check(err)
	doc.Packed = time.Unix(0, 0).UTC()
	var few bytes.Buffer
	w.check(pack.Encode(&few, doc, m))
	if !bytes.Equal(few.Bytes(), b.Bytes()) {
		w.t.Errorf("%s: asked by its extent it is another:\n%s", p, firstDifference(b.String(), few.String()))
	}
	return sight{token: s.seenAs(), mtime: s.mtime, xml: b.Bytes()}
}

// whole are members of rows that count as a whole though packs tell only a part
// of them. The server writes them, in an import; nobody edits them.
var whole = []string{"OriginalFile.atime", "OriginalFile.ctime", "OriginalFile.name", "UploadJob.", "without FilesetJobLink", "without UploadJob"}

// moved holds a change to its promise: the token and the time move when
// transfer.xml does, and only then.
func (was sight) moved(t *testing.T, what string, now sight) {
	t.Helper()
	changed := !bytes.Equal(was.xml, now.xml)
	if !changed && slices.ContainsFunc(whole, func(s string) bool { return strings.HasPrefix(what, s) }) {
		return
	}
	if token := was.token != now.token; token != changed {
		t.Errorf("%s: transfer.xml changes: %v, the token: %v", what, changed, token)
	}
	if later := now.mtime.After(was.mtime); later != changed {
		t.Errorf("%s: transfer.xml changes: %v, the time goes from %v to %v", what, changed, was.mtime, now.mtime)
	}
}

// fixed are members that no client changes, as they say what is in a file.
var fixed = map[string]bool{
	"Pixels.sizeX": true, "Pixels.sizeY": true, "Pixels.sizeZ": true, "Pixels.sizeC": true, "Pixels.sizeT": true, "Pixels.pixelsType": true,
	"OriginalFile.repo": true, "OriginalFile.path": true, "OriginalFile.size": true, "OriginalFile.hash": true, "OriginalFile.hasher": true,
	"Image.series": true, "Mask.bytes": true,
}

// change makes another value of one that may be null; nil when there is none.
func (w *world) change(p *store.Property, v any) any {
	switch p.Kind {
	case store.KindString:
		s, _ := v.(string)
		return s + "x"
	case store.KindInt:
		n, _ := v.(int32)
		return n ^ 1
	case store.KindLong:
		n, _ := v.(int64)
		return n ^ 1
	case store.KindDouble:
		if v == 1.5 {
			return 2.5
		}
		return 1.5
	case store.KindBool:
		b, _ := v.(bool)
		return !b
	case store.KindTime:
		n, _ := v.(store.Time)
		return n + 60_000
	case store.KindQuantity:
		q, ok := v.(store.Quantity)
		if !ok {
			q.Unit = 1
		}
		if q.Value++; q.Value > 1e12 {
			q.Value = 1
		}
		return q
	case store.KindNamedValues:
		list, _ := v.([]store.NamedValue)
		return append(slices.Clone(list), store.NamedValue{Name: "another", Value: "pair"})
	case store.KindToOne:
		var other any
		if p.Target.Enum {
			w.store.Each(p.Target.Name, func(r *store.Row) bool {
				if r.ID != v {
					other = r.ID
				}
				return other == nil
			})
		}
		return other
	}
	return nil
}

// TestEveryEditMovesTheToken changes each member of one object of each class
// that belongs to a pack, and then removes one object of each class. The short
// form takes some classes and one member of each, others in each run.
func TestEveryEditMovesTheToken(t *testing.T) {
	soak, seed := os.Getenv("OMERODS_SOAK") != "", rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	w := ownWorld(t)
	study, err := wild.Fill(t.Context(), sample.Target{Store: w.store, Files: w.files}, wild.Config{Seed: 36})
	w.check(err)
	screen := w.store.Find("Screen", func(r *store.Row) bool { return r.Text("name") == "Drug screen" })
	for _, p := range []packRef{{kind: omero.KindProject, id: study.Projects[0].ID}, {kind: omero.KindScreen, id: screen.ID}} {
		t.Run(p.String(), func(t *testing.T) {
			w.t = t
			g, err := graph.Read(w.store, string(p.kind), p.id, graph.Options{Hide: graph.Own})
			w.check(err)
			rows := map[string]*store.Row{}
			g.Each("", func(r *store.Row) {
				if rows[r.Class.Name] == nil {
					rows[r.Class.Name] = r
				}
			})
			names := make([]string, 0, len(rows))
			for name := range rows {
				names = append(names, name)
			}
			slices.Sort(names)
			if len(names) < map[omero.Kind]int{omero.KindProject: 70, omero.KindScreen: 25}[p.kind] {
				t.Errorf("the pack has objects of %d classes only: %q", len(names), names)
			}
			if !soak {
				r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
				names = names[:20]
			}
			was := w.sight(p)
			for _, name := range names {
				class := w.store.Model().Class(name)
				members := class.Stored()
				if len(members) > 0 && !soak {
					members = members[r.IntN(len(members)):][:1]
				}
				for _, m := range members {
					what := fmt.Sprintf("%s.%s", name, m.Name)
					if fixed[what] || fixed[m.String()] {
						continue
					}
					row := w.store.Get(name, rows[name].ID)
					if row == nil {
						continue
					}
					v := w.change(m, row.Value(m))
					if v == nil {
						continue
					}
					w.check(w.store.Write(store.Actor{User: row.Owner, Group: row.Group}, func(a *store.Author) error {
						now := a.Tx().Get(class, row.ID).Clone()
						now.SetValue(m, v)
						a.Update(now)
						return nil
					}))
					now := w.sight(p)
					was.moved(t, what, now)
					was = now
				}
			}
			for _, name := range names {
				row := w.store.Get(name, rows[name].ID)
				if row == nil || name == string(p.kind) {
					continue
				}
				if name == "FilesetEntry" || name == "Pixels" {
					continue // no client removes a part of an import
				}
				if err := w.store.Write(store.Actor{User: row.Owner, Group: row.Group}, func(a *store.Author) error { a.Delete(row); return nil }); err != nil {
					continue // something needs it
				}
				now := w.sight(p)
				was.moved(t, "without "+name, now)
				was = now
			}
		})
	}
}

// TestNothingElseMovesTheToken changes what a pack has no part of.
func TestNothingElseMovesTheToken(t *testing.T) {
	w := ownWorld(t)
	kidney := w.store.Find("Project", func(r *store.Row) bool { return r.Text("name") == "Kidney" })
	dataset := w.store.Collection("Project", kidney.ID, "datasetLinks")[0].Ref("child")
	link := w.store.Collection("Dataset", dataset, "imageLinks")[0]
	find := func(class, field, text string) *store.Row {
		row := w.store.Find(class, func(r *store.Row) bool { return r.Text(field) == text })
		if row == nil {
			t.Fatalf("no %s %q", class, text)
		}
		return row
	}
	image, tag := find("Image", "name", "beat.tif"), find("Annotation", "textValue", "DAPI")
	ada := store.Actor{User: kidney.Owner, Group: kidney.Group}
	packs := []packRef{{kind: omero.KindProject, id: kidney.ID}, {kind: omero.KindDataset, id: dataset}, {kind: omero.KindImage, id: link.Ref("child")}}
	var was []sight
	for _, p := range packs {
		was = append(was, w.sight(p))
	}
	for _, c := range []struct {
		name string
		run  func(a *store.Author) error
	}{
		{"an image elsewhere is renamed", func(a *store.Author) error {
			row := image.Clone()
			err := a.Tx().Fill(row, store.Values{"name": "other"})
			a.Update(row)
			return err
		}},
		{"a project comes", func(a *store.Author) error { _, err := a.Create("Project", store.Values{"name": "x"}); return err }},
		{"a tag of the pack is put on what is elsewhere", func(a *store.Author) error {
			_, err := a.Create("ImageAnnotationLink", store.Values{"parent": image, "child": tag})
			return err
		}},
		{"omerods notes a save", func(a *store.Author) error {
			note, err := a.Create("MapAnnotation", store.Values{"ns": "omerods/save", "mapValue": []store.NamedValue{{Name: "state", Value: "finished"}}})
			if err != nil {
				return err
			}
			for i, class := range []string{"ProjectAnnotationLink", "DatasetAnnotationLink", "ImageAnnotationLink"} {
				if _, err := a.Create(class, store.Values{"parent": packs[i].id, "child": note}); err != nil {
					return err
				}
			}
			return nil
		}},
		{"somebody logs in", func(a *store.Author) error {
			_, err := a.Create("Session", store.Values{"node": 0, "uuid": "another", "owner": ada.User, "timeToIdle": 0, "timeToLive": 0, "started": time.Now(), "defaultEventType": "User"})
			return err
		}},
		{"a thumbnail is drawn", func(a *store.Author) error {
			pixels := a.Tx().Collection(a.Tx().Model().Class("Image").Property("pixels"), link.Ref("child"))[0]
			_, err := a.Create("Thumbnail", store.Values{"pixels": pixels, "mimeType": "image/jpeg", "sizeX": 96, "sizeY": 96})
			return err
		}},
		{"the project is put beside another", func(a *store.Author) error {
			p, err := a.Create("Project", store.Values{"name": "beside"})
			if err != nil {
				return err
			}
			_, err = a.Create("ProjectDatasetLink", store.Values{"parent": p, "child": dataset})
			return err
		}},
	} {
		w.check(w.store.Write(ada, c.run))
		for i, p := range packs {
			now := w.sight(p)
			if now.token != was[i].token || !now.mtime.Equal(was[i].mtime) || !bytes.Equal(now.xml, was[i].xml) {
				t.Errorf("%s: %s: the token changes: %v, the time: %v, transfer.xml: %v", c.name, p, now.token != was[i].token, !now.mtime.Equal(was[i].mtime), !bytes.Equal(now.xml, was[i].xml))
			}
			was[i] = now
		}
	}
}

// firstDifference is the first line in which two texts differ.
func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return x[i] + "\n" + y[i]
		}
	}
	return fmt.Sprintf("%d and %d lines", len(x), len(y))
}
