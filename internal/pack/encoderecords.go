package pack

// path is what the path record of an image says.
func (e *encoder) path(im *Image) string {
	if f := e.filesets[im.Fileset]; f != nil {
		return f.recordPath()
	}
	return im.Path
}

// records writes the annotations that "omero transfer unpack" goes by: for
// each image and plate where it comes from and which file it is in, for each
// attached file where that is. Their numbers rise in the order of writing.
func (e *encoder) records() {
	for i := range e.doc.Images {
		im := &e.doc.Images[i]
		id := e.imageRecord(i)
		e.provenanceRecord(id, "origin_image_id", im.ID, im.Details)
		e.pathRecord(nextID(id), e.path(im))
	}
	for i := range e.doc.Plates {
		p := &e.doc.Plates[i]
		id := e.plateRecord(i)
		e.provenanceRecord(id, "origin_plate_id", p.ID, p.Details)
		e.pathRecord(nextID(id), e.platePath(p))
	}
	for i := range e.doc.Annotations {
		if a := &e.doc.Annotations[i]; a.Kind == FileAnnotation && e.placed[a.ID] {
			e.pathRecord(e.fileRecord(i), a.File.Path)
		}
	}
}

func (e *encoder) startRecord(id ID, namespace string) {
	e.x.start("XMLAnnotation")
	e.x.attr("ID", string(id))
	e.x.attr("Namespace", namespace)
	e.x.start("Value")
}

func (e *encoder) pathRecord(id ID, path string) {
	e.startRecord(id, TransferNamespace)
	e.x.start("CLITransferServerPath")
	e.x.element("Path", path)
	e.x.end()
	e.x.end()
	e.x.end()
}

// provenanceRecord names the owner and group of the object itself; the pack
// is the same whoever makes it.
func (e *encoder) provenanceRecord(id ID, originElement string, origin ID, d Details) {
	o := &e.doc.Origin
	owner, group := e.users[d.Owner], e.groups[d.Group]
	if owner == nil {
		owner = e.users[o.Owner]
	}
	if group == nil {
		group = e.groups[o.Group]
	}
	e.startRecord(id, TransferNamespace)
	e.x.start("CLITransferMetadata")
	e.x.element(originElement, origin.Key())
	if !e.doc.Packed.IsZero() {
		e.x.element("packing_timestamp", e.doc.Packed.UTC().Format(packingTimestamp))
	}
	e.x.element("software", o.Software)
	e.x.element("version", o.Version)
	e.x.element("origin_hostname", o.Host)
	e.x.element("md5", "TBC")
	if owner != nil {
		e.x.element("original_user", owner.Login)
	}
	if group != nil {
		e.x.element("original_group", group.Name)
	}
	e.x.element("database_id", o.Database)
	e.x.end()
	e.x.end()
	e.x.end()
}

// packingTimestamp is the layout of omero-cli-transfer's packing_timestamp.
const packingTimestamp = "02/01/2006, 15:04:05"
