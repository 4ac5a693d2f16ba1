package mount

import (
	"cmp"
	"slices"
	"strings"

	"omerods/internal/sandbox/store"
)

// own are the values of a row but for its name and description, which its line
// has.
func (d *describer) own(row *store.Row) string {
	row = row.Clone()
	for _, name := range []string{"name", "description"} {
		if p := row.Class.Property(name); p != nil {
			row.SetValue(p, nil)
		}
	}
	return d.values(row)
}

func (d *describer) screen(row *store.Row, indent string) {
	d.line(indent, "values %s", d.own(row))
	for _, r := range d.s.Collection("Screen", row.ID, "reagents") {
		d.line(indent, "reagent %s", d.values(r))
		d.annotations("Reagent", r.ID, indent+"  ")
	}
}

// plate writes down the runs of a plate and its wells by their places, with
// their fields in order.
func (d *describer) plate(row *store.Row, indent string) {
	d.line(indent, "values %s", d.own(row))
	runs := map[int64]int{}
	for i, r := range d.s.Collection("Plate", row.ID, "plateAcquisitions") {
		runs[r.ID] = i + 1
		d.line(indent, "run %d %s", i+1, d.values(r))
		d.annotations("PlateAcquisition", r.ID, indent+"  ")
	}
	wells := d.s.Collection("Plate", row.ID, "wells")
	number := func(r *store.Row, name string) int32 { n, _ := r.Get(name).(int32); return n }
	slices.SortFunc(wells, func(a, b *store.Row) int {
		return cmp.Or(cmp.Compare(number(a, "row"), number(b, "row")), cmp.Compare(number(a, "column"), number(b, "column")))
	})
	for _, w := range wells {
		d.line(indent, "well %s holds %s", d.values(w), strings.Join(d.held(w.ID), ", "))
		d.annotations("Well", w.ID, indent+"  ")
		for i, f := range d.s.Collection("Well", w.ID, "wellSamples") {
			d.line(indent, "  field %d of run %d %s", i, runs[f.Ref("plateAcquisition")], d.values(f))
			d.object("Image", f.Ref("image"), indent+"    ")
		}
	}
}

// held are the reagents in a well.
func (d *describer) held(well int64) (names []string) {
	d.s.Each("WellReagentLink", func(l *store.Row) bool {
		if l.Ref("parent") == well {
			names = append(names, d.values(d.s.Get("Reagent", l.Ref("child"))))
		}
		return true
	})
	slices.Sort(names)
	return names
}
