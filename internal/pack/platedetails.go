package pack

// eachPlatePart visits the provenance of what screens and plates consist of, in
// the order of the document.
func eachPlatePart(d *Document, visit func(id ID, details *Details)) {
	for i := range d.Screens {
		for j := range d.Screens[i].Reagents {
			r := &d.Screens[i].Reagents[j]
			visit(r.ID, &r.Details)
		}
	}
	for i := range d.Reagents {
		visit(d.Reagents[i].ID, &d.Reagents[i].Details)
	}
	for i := range d.Plates {
		p := &d.Plates[i]
		for j := range p.Wells {
			visit(p.Wells[j].ID, &p.Wells[j].Details)
		}
		for j := range p.Runs {
			visit(p.Runs[j].ID, &p.Runs[j].Details)
		}
	}
}
