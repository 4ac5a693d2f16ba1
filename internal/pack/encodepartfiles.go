package pack

func (e *encoder) partFilesets() {
	var listed map[string]*File
	if e.m != nil && len(e.doc.Filesets) > 0 {
		listed = e.m.ByPath()
	}
	for i := range e.doc.Filesets {
		f := &e.doc.Filesets[i]
		x := e.x
		x.start("Fileset")
		x.attr("ID", string(f.ID))
		x.optional("Folder", f.Folder)
		x.optional("Reader", f.Reader)
		x.attr("Images", joinIDs(f.Images))
		for j := range f.Info {
			x.start("Info")
			x.attr("Name", f.Info[j].Key)
			x.attr("Value", f.Info[j].Value)
			x.end()
		}
		for j := range f.Entries {
			en := &f.Entries[j]
			x.start("Entry")
			x.attr("Path", en.Path)
			x.optional("ClientPath", en.ClientPath)
			x.optional("File", string(en.File))
			e.content(listed[en.Path], en.Size, en.Hash, en.Algorithm, en.MediaType)
			x.time("Modified", en.Modified)
			x.end()
		}
		x.end()
	}
}

// content writes what is known of a file's bytes unless the manifest says the
// same.
func (e *encoder) content(listed *File, size int64, hash, algorithm, mediaType string) {
	if listed != nil && listed.Size == size && listed.Hash == hash && listed.Algorithm == algorithm && listed.MediaType == mediaType {
		return
	}
	e.x.int("Size", size)
	e.x.optional("Hash", hash)
	e.x.optional("Algorithm", algorithm)
	e.x.optional("MediaType", mediaType)
}

// partROIs writes the ROIs that OME-XML cannot hold, or not exactly.
func (e *encoder) partROIs() {
	for i := range e.doc.ROIs {
		r := &e.doc.ROIs[i]
		exact := drawable(r)
		for j := range r.Shapes {
			_, same := tameShape(&r.Shapes[j])
			exact = exact && same
		}
		if exact {
			continue
		}
		e.x.start("ROI")
		e.x.attr("ID", string(r.ID))
		e.x.int("Place", int64(i))
		e.x.optional("Name", r.Name)
		e.x.element("Description", r.Description)
		for j := range r.Shapes {
			writeShape(e.x, &r.Shapes[j])
		}
		e.x.end()
	}
}

// partAnnotations writes the annotations that do not stand among those of
// OME, and of the others what OME-XML has no place for.
func (e *encoder) partAnnotations() {
	for i := range e.doc.Annotations {
		a := &e.doc.Annotations[i]
		f := a.File
		if e.placed[a.ID] && a.Name == "" && f == nil {
			continue
		}
		x := e.x
		x.start("Annotation")
		x.attr("ID", string(a.ID))
		if !e.placed[a.ID] {
			x.int("Place", int64(i))
			x.attr("Kind", string(a.Kind))
			x.optional("Namespace", a.Namespace)
		}
		x.optional("Name", a.Name)
		x.flag("Null", a.Null)
		if !e.placed[a.ID] {
			x.element("Description", a.Description)
			writeValue(x, a)
		}
		if f != nil {
			x.start("File")
			x.optional("ID", string(f.ID))
			x.optional("Name", f.Name)
			x.optional("Dir", f.Dir)
			x.attr("Path", f.Path)
			x.int("Size", f.Size)
			x.optional("Hash", f.Hash)
			x.optional("Algorithm", f.Algorithm)
			x.optional("MediaType", f.MediaType)
			x.time("Modified", f.Modified)
			x.end()
		}
		x.end()
	}
}

func (e *encoder) partLinks() {
	for _, l := range e.doc.Links {
		e.x.start("Link")
		e.x.attr("From", string(l.From))
		e.x.attr("To", string(l.To))
		e.x.optional("By", string(l.By))
		e.x.time("At", l.At)
		e.x.end()
	}
}

// partTexts writes, as bytes, the texts that XML cannot hold and those for
// which something else had to be written.
func (e *encoder) partTexts() {
	eachText(e.doc, e.m, func(of ID, field string, index int, text *string) {
		if clean(*text) && !e.replaced(of, field, *text) {
			return
		}
		e.x.start("Text")
		e.x.attr("Of", string(of))
		e.x.attr("Field", field)
		if index != 0 {
			e.x.int("Index", int64(index))
		}
		e.x.base64([]byte(*text))
		e.x.end()
	})
}

// replaced reports whether the OME elements say something else than the text.
func (e *encoder) replaced(of ID, field, text string) bool {
	switch field {
	case "Name":
		switch of.Kind() {
		case KindProject, KindDataset, KindFolder, KindScreen, KindPlate, KindImage:
			return text == ""
		}
	case "Namespace":
		return e.placed[of] && namespaceURI(text) != text
	case "Value":
		a := e.notes[of]
		return a != nil && a.Kind == XMLAnnotation && e.placed[of] && !embeddable(text)
	}
	return false
}

func (e *encoder) partManifest() {
	if e.m == nil {
		return
	}
	x := e.x
	x.start("Manifest")
	for i := range e.m.Files {
		f := &e.m.Files[i]
		x.start("File")
		x.attr("Path", f.Path)
		if f.Size >= 0 {
			x.int("Size", f.Size)
		}
		x.optional("Hash", f.Hash)
		x.optional("Algorithm", f.Algorithm)
		x.optional("MediaType", f.MediaType)
		x.flag("Required", f.Required)
		x.optional("SameAs", f.SameAs)
		x.optional("Kind", string(f.Kind))
		x.optional("Fileset", string(f.Fileset))
		if f.Entry != 0 {
			x.int("Entry", int64(f.Entry))
		}
		x.optional("Image", string(f.Image))
		x.optional("Annotation", string(f.Annotation))
		x.end()
	}
	x.end()
}
