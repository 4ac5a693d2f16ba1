package pack

// files checks that every image and attachment has its file, and that each
// fileset lists exactly its images.
func (c *checker) files(d *Document) {
	filesets := make(map[ID]int, len(d.Filesets))
	for i := range d.Filesets {
		f := &d.Filesets[i]
		filesets[f.ID] = len(f.Images)
		c.fileset(f)
	}
	for i := range d.Images {
		im := &d.Images[i]
		if im.Fileset == "" {
			if err := CheckPath(im.Path); err != nil {
				c.fail(err, "file of %s", im.ID)
			}
			continue
		}
		if im.Path != "" {
			c.fail(ErrInvalid, "%s has a fileset and a path of its own", im.ID)
		}
		if _, ok := filesets[im.Fileset]; !ok {
			c.fail(ErrInvalid, "%s refers to %q, which is no fileset of the document", im.ID, clip(string(im.Fileset)))
		}
		filesets[im.Fileset]--
	}
	for i := range d.Filesets {
		if id := d.Filesets[i].ID; filesets[id] != 0 {
			c.fail(ErrInvalid, "%s does not list each of its images once", id)
		}
	}
	for i := range d.Annotations {
		a := &d.Annotations[i]
		switch {
		case (a.Kind == FileAnnotation) != (a.File != nil):
			c.fail(ErrInvalid, "%s is a file annotation without a file, or a file in another kind", a.ID)
		case a.File != nil:
			if err := CheckPath(a.File.Path); err != nil {
				c.fail(err, "file of %s", a.ID)
			}
			if a.File.Size < 0 {
				c.fail(ErrInvalid, "the file of %s has a negative size", a.ID)
			}
		}
	}
}

func (c *checker) fileset(f *Fileset) {
	if len(f.Entries) == 0 {
		c.fail(ErrInvalid, "%s has no files", f.ID)
	}
	if len(f.Entries) > 1 && f.Folder == "" {
		c.fail(ErrInvalid, "%s has several files and no folder", f.ID)
	}
	if f.Folder != "" {
		if err := CheckPath(f.Folder); err != nil {
			c.fail(err, "folder of %s", f.ID)
		}
	}
	paths := make(map[string]bool, len(f.Entries))
	for i := range f.Entries {
		p := f.Entries[i].Path
		if err := CheckPath(p); err != nil {
			c.fail(err, "file of %s", f.ID)
		}
		if !within(p, f.Folder) || paths[p] {
			c.fail(ErrInvalid, "%q is outside of the folder of %s, or twice in it", clip(p), f.ID)
		}
		paths[p] = true
		if f.Entries[i].Size < 0 {
			c.fail(ErrInvalid, "%q has a negative size", clip(p))
		}
	}
	listed := make(map[ID]bool, len(f.Images))
	for _, id := range f.Images {
		if im := c.images[id]; im == nil || im.Fileset != f.ID || listed[id] {
			c.fail(ErrInvalid, "%s lists %q, which is twice in it or no image of it", f.ID, clip(string(id)))
		}
		listed[id] = true
	}
}

func (c *checker) manifest(m *Manifest) {
	if m == nil {
		return
	}
	paths := make(map[string]bool, len(m.Files))
	for i := range m.Files {
		f := &m.Files[i]
		if err := CheckPath(f.Path); err != nil {
			c.fail(err, "manifest")
		}
		if paths[f.Path] || f.Path == TransferXML {
			c.fail(ErrInvalid, "%q twice in the manifest", clip(f.Path))
		}
		paths[f.Path] = true
	}
	for i := range m.Files {
		f := &m.Files[i]
		if f.SameAs != "" && (!paths[f.SameAs] || f.SameAs == f.Path) {
			c.fail(ErrInvalid, "%q is the same as %q, which is not in the manifest", clip(f.Path), clip(f.SameAs))
		}
		if f.Entry < 0 {
			c.fail(ErrInvalid, "%q is a negative entry", clip(f.Path))
		}
	}
}
