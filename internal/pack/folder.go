package pack

import "slices"

// Folder holds images, regions and other folders, each of which may be in
// several. A document has those that hold anything of it, and the folders
// around them.
type Folder struct {
	ID          ID
	Name        string
	Description string
	Parent      ID // the folder it is in, "" for none
	Images      []ID
	ROIs        []ID
	Details     Details
}

// FoldersFromTop lists the folders so that each comes after the one it is in.
func (d *Document) FoldersFromTop() []*Folder {
	var out []*Folder
	below := make(map[ID][]*Folder)
	for i := range d.Folders {
		f := &d.Folders[i]
		below[f.Parent] = append(below[f.Parent], f)
	}
	for next := below[""]; len(next) > 0; {
		f := next[0]
		out = append(out, f)
		next = append(next[1:], below[f.ID]...)
	}
	return out
}

// folders writes the folders of OME-XML.
func (e *encoder) folders() {
	children := make(map[ID][]ID)
	for i := range e.doc.Folders {
		f := &e.doc.Folders[i]
		if f.Parent != "" {
			children[f.Parent] = append(children[f.Parent], f.ID)
		}
	}
	for i := range e.doc.Folders {
		f := &e.doc.Folders[i]
		e.x.start("Folder")
		e.x.attr("ID", string(f.ID))
		e.name(f.Name, f.ID)
		e.x.element("Description", f.Description)
		e.refList("FolderRef", children[f.ID])
		e.refList("ImageRef", f.Images)
		for _, r := range f.ROIs {
			if drawable(e.rois[r]) {
				e.ref("ROIRef", r)
			}
		}
		e.refList("AnnotationRef", e.refs[f.ID])
		e.x.end()
	}
}

// partFolders writes the regions of folders that OME-XML has not all of.
func (e *encoder) partFolders() {
	for i := range e.doc.Folders {
		f := &e.doc.Folders[i]
		if slices.ContainsFunc(f.ROIs, func(r ID) bool { return !drawable(e.rois[r]) }) {
			e.x.start("Folder")
			e.x.attr("ID", string(f.ID))
			e.x.attr("ROIs", joinIDs(f.ROIs))
			e.x.end()
		}
	}
}

// folder reads a folder of OME-XML. Which folder it is in is said by that one.
func (d *decoder) folder(e *element) {
	f := Folder{ID: e.id("ID"), Name: e.get("Name")}
	e.children(func(c *element) {
		switch {
		case d.common(c, f.ID, &f.Description, &f.Details):
		case c.name.Local == "FolderRef":
			if d.within == nil {
				d.within = make(map[ID]ID)
			}
			if child := refTo(c); d.within[child] == "" {
				d.within[child] = f.ID
			}
		case c.name.Local == "ImageRef":
			f.Images = append(f.Images, refTo(c))
		case c.name.Local == "ROIRef":
			f.ROIs = append(f.ROIs, refTo(c))
		default:
			c.skip()
		}
	})
	d.doc.Folders = append(d.doc.Folders, f)
}

// nestFolders gives each folder the one it is in.
func (d *decoder) nestFolders() {
	for i := range d.doc.Folders {
		f := &d.doc.Folders[i]
		f.Parent = d.within[f.ID]
	}
}

// folders checks that folders are in folders that are there, and none in
// itself.
func (c *checker) folders(d *Document) {
	if c.err != nil {
		return // an id that comes twice would be followed for ever
	}
	for i := range d.Folders {
		f := &d.Folders[i]
		c.refers(f.ID, KindImage, f.Images)
		c.refers(f.ID, KindROI, f.ROIs)
		if f.Parent != "" {
			c.refers(f.ID, KindFolder, []ID{f.Parent})
		}
	}
	if c.err == nil && len(d.FoldersFromTop()) != len(d.Folders) {
		c.fail(ErrInvalid, "a folder is within itself")
	}
}
