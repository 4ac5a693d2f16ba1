package omeroview

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

const (
	// pairsPerValue bounds one value of the record, so that a load of ten
	// thousand images does not make ten thousand rows.
	pairsPerValue = 200
	// runesPerValue bounds each value, whatever a pack says.
	runesPerValue = 40_000
	// ownersInRecord is of how many other owners the record lists the images.
	ownersInRecord = 20
)

// loadRecord says where the objects came from, which is which, and what of
// their provenance no load can restore: whose they were and since when.
func (f *finisher) loadRecord() omero.Annotation {
	doc := f.spec.Document
	o := doc.Origin
	a := omero.Annotation{Kind: omero.MapAnnotation, Namespace: LoadNamespace, Description: f.spec.Load}
	add := func(key, value string) {
		// What a pack says need not be short, nor fit for a database.
		value = strings.ToValidUTF8(strings.ReplaceAll(value, "\x00", ""), "")
		if r := []rune(value); len(r) > runesPerValue {
			value = string(r[:runesPerValue]) + "…"
		}
		if value != "" {
			a.Pairs = append(a.Pairs, omero.Pair{Key: key, Value: value})
		}
	}
	top := detailsOf(doc, o.Object)
	add("loaded", f.spec.When.UTC().Format(time.RFC3339))
	add("load", f.spec.Load)
	add("from", f.spec.From)
	add("from server", o.Host)
	add("from database", o.Database)
	add("from object", string(o.Object))
	add("from name", o.Name)
	add("from owner", person(doc, cmp.Or(top.Owner, o.Owner)))
	if g := doc.Group(cmp.Or(top.Group, o.Group)); g != nil {
		add("from group", g.Name)
	}
	add("created", moment(top.Created))
	add("changed", moment(top.Updated))
	add("packed", moment(doc.Packed))
	f.recordImages(cmp.Or(top.Owner, o.Owner), add)
	if f.spec.Ours {
		add("provenance", "transfer.xml of the pack says whose each object was, since when, and who linked which annotation")
	}
	for _, became := range []struct {
		what string
		ids  map[pack.ID]int64
	}{{"plates", f.parts.plates}, {"images", f.spec.Images}} {
		ids := slices.SortedFunc(maps.Keys(became.ids), pack.ID.Compare)
		for part := range slices.Chunk(ids, pairsPerValue) {
			texts := make([]string, len(part))
			for i, id := range part {
				texts[i] = fmt.Sprintf("%s → %d", id.Key(), became.ids[id])
			}
			add(became.what, strings.Join(texts, ", "))
		}
	}
	for part := range slices.Chunk(f.left, pairsPerValue) {
		add("not restored", strings.Join(part, "; "))
	}
	return a
}

// recordImages says between which days the images were made, and which of them
// belonged to others than the owner of the whole, by their new ids.
func (f *finisher) recordImages(owner pack.ID, add func(key, value string)) {
	doc := f.spec.Document
	var first, last time.Time
	others := map[pack.ID][]int64{}
	for i := range doc.Images {
		d := doc.Images[i].Details
		id, ok := f.spec.Images[doc.Images[i].ID]
		if !ok {
			continue
		}
		if d.Owner != "" && owner != "" && d.Owner != owner {
			others[d.Owner] = append(others[d.Owner], id)
		}
		if c := d.Created; !c.IsZero() {
			if first.IsZero() || c.Before(first) {
				first = c
			}
			if c.After(last) {
				last = c
			}
		}
	}
	if !first.IsZero() {
		add("images created", moment(first)+" – "+moment(last))
	}
	for n, who := range slices.SortedFunc(maps.Keys(others), pack.ID.Compare) {
		if n == ownersInRecord {
			add("images of others", fmt.Sprintf("and of %d more", len(others)-n))
			return
		}
		slices.Sort(others[who])
		for part := range slices.Chunk(others[who], pairsPerValue) {
			texts := make([]string, len(part))
			for i, id := range part {
				texts[i] = fmt.Sprint(id)
			}
			add("images of "+person(doc, who), strings.Join(texts, ", "))
		}
	}
}

// detailsOf is the provenance of the object that a pack is of.
func detailsOf(doc *pack.Document, id pack.ID) pack.Details {
	for i := range doc.Projects {
		if doc.Projects[i].ID == id {
			return doc.Projects[i].Details
		}
	}
	for i := range doc.Datasets {
		if doc.Datasets[i].ID == id {
			return doc.Datasets[i].Details
		}
	}
	for i := range doc.Screens {
		if doc.Screens[i].ID == id {
			return doc.Screens[i].Details
		}
	}
	for i := range doc.Plates {
		if doc.Plates[i].ID == id {
			return doc.Plates[i].Details
		}
	}
	for i := range doc.Images {
		if doc.Images[i].ID == id {
			return doc.Images[i].Details
		}
	}
	return pack.Details{}
}

// person is the login of a user of the pack with their name, as far as known.
func person(doc *pack.Document, id pack.ID) string {
	u := doc.User(id)
	if u == nil {
		return ""
	}
	name := strings.Join(strings.Fields(u.FirstName+" "+u.LastName), " ")
	switch {
	case u.Login == "":
		return cmp.Or(name, string(id))
	case name == "":
		return u.Login
	}
	return u.Login + " (" + name + ")"
}

// moment is a time as people read it, "" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
