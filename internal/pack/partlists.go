package pack

func (d *decoder) partROI(e *element) {
	r := ROI{ID: e.id("ID"), Name: e.get("Name")}
	place := e.int("Place")
	e.children(func(c *element) {
		if c.name.Local == "Description" {
			r.Description = c.text()
		} else if s, ok := d.shape(c); ok {
			r.Shapes = append(r.Shapes, s)
		}
	})
	d.part.rois = append(d.part.rois, placed[ROI]{place, r})
}

func (d *decoder) partNote(e *element) {
	n := partNote{place: int(e.int64("Place", -1)), note: Annotation{
		ID: e.id("ID"), Kind: AnnotationKind(e.get("Kind")), Namespace: e.get("Namespace"), Name: e.get("Name"), Null: e.flag("Null"),
	}}
	e.children(func(c *element) {
		switch c.name.Local {
		case "Description":
			n.note.Description = c.text()
		case "Value":
			d.value(c, &n.note)
		case "File":
			n.note.File = &Attachment{
				ID: c.id("ID"), Name: c.get("Name"), Dir: c.get("Dir"), Path: c.get("Path"),
				Size: c.int64("Size", 0), Hash: c.get("Hash"), Algorithm: c.get("Algorithm"),
				MediaType: c.get("MediaType"), Modified: c.time("Modified"),
			}
			c.skip()
		default:
			c.skip()
		}
	})
	d.part.notes = append(d.part.notes, n)
}

func (d *decoder) readManifest(e *element) {
	if d.manifest != nil {
		e.invalid("a second manifest")
		return
	}
	m := &Manifest{}
	e.children(func(c *element) {
		if c.name.Local == "File" {
			m.Files = append(m.Files, File{
				Path: c.get("Path"), Size: c.int64("Size", -1),
				Hash: c.get("Hash"), Algorithm: c.get("Algorithm"), MediaType: c.get("MediaType"),
				Required: c.flag("Required"), SameAs: c.get("SameAs"), Kind: FileKind(c.get("Kind")),
				Fileset: c.id("Fileset"), Entry: c.int("Entry"),
				Image: c.id("Image"), Annotation: c.id("Annotation"),
			})
		}
		c.skip()
	})
	d.manifest = m
}
