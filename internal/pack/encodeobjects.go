package pack

import (
	"strconv"
	"strings"
)

func (e *encoder) containers() {
	for i := range e.doc.Projects {
		p := &e.doc.Projects[i]
		e.x.start("Project")
		e.x.attr("ID", string(p.ID))
		e.name(p.Name, p.ID)
		e.x.element("Description", p.Description)
		e.owner(p.Details.Owner)
		e.group(p.Details.Group)
		e.refList("DatasetRef", p.Datasets)
		e.refList("AnnotationRef", e.refs[p.ID])
		e.x.end()
	}
	for i := range e.doc.Datasets {
		d := &e.doc.Datasets[i]
		e.x.start("Dataset")
		e.x.attr("ID", string(d.ID))
		e.name(d.Name, d.ID)
		e.x.element("Description", d.Description)
		e.owner(d.Details.Owner)
		e.group(d.Details.Group)
		e.refList("ImageRef", d.Images)
		e.refList("AnnotationRef", e.refs[d.ID])
		e.x.end()
	}
}

func (e *encoder) screens() {
	for i := range e.doc.Screens {
		s := &e.doc.Screens[i]
		e.x.start("Screen")
		e.x.attr("ID", string(s.ID))
		e.name(s.Name, s.ID)
		e.x.optional("ProtocolIdentifier", s.ProtocolIdentifier)
		e.x.optional("ProtocolDescription", s.ProtocolDescription)
		e.x.optional("ReagentSetDescription", s.ReagentSetDescription)
		e.x.optional("ReagentSetIdentifier", s.ReagentSetIdentifier)
		e.x.optional("Type", s.Type)
		e.x.element("Description", s.Description)
		for j := range s.Reagents {
			r := &s.Reagents[j]
			e.x.start("Reagent")
			e.x.attr("ID", string(r.ID))
			e.x.optional("Name", r.Name)
			e.x.optional("ReagentIdentifier", r.Identifier)
			e.x.element("Description", r.Description)
			e.refList("AnnotationRef", e.refs[r.ID])
			e.x.end()
		}
		e.refList("PlateRef", s.Plates)
		e.refList("AnnotationRef", e.refs[s.ID])
		e.x.end()
	}
}

func (e *encoder) people() {
	for i := range e.doc.Users {
		u := &e.doc.Users[i]
		e.x.start("Experimenter")
		e.x.attr("ID", string(u.ID))
		e.x.optional("FirstName", u.FirstName)
		e.x.optional("MiddleName", u.MiddleName)
		e.x.optional("LastName", u.LastName)
		e.x.optional("Email", u.Email)
		e.x.optional("Institution", u.Institution)
		e.x.optional("UserName", u.Login)
		e.x.end()
	}
	for i := range e.doc.Groups {
		g := &e.doc.Groups[i]
		e.x.start("ExperimenterGroup")
		e.x.attr("ID", string(g.ID))
		e.x.optional("Name", g.Name)
		e.x.element("Description", g.Description)
		e.x.end()
	}
}

// image writes the i-th image.
func (e *encoder) image(im *Image, i int) {
	x := e.x
	x.start("Image")
	x.attr("ID", string(im.ID))
	e.name(im.Name, im.ID)
	if !im.Acquired.IsZero() {
		x.element("AcquisitionDate", formatTime(im.Acquired))
	}
	e.owner(im.Details.Owner)
	x.element("Description", im.Description)
	if im.Experiment != "" {
		e.ref("ExperimentRef", im.Experiment)
	}
	e.group(im.Details.Group)
	if im.Instrument != "" {
		e.ref("InstrumentRef", im.Instrument)
	}
	if s, _ := tameObjective(im.Objective); s != nil {
		writePart(x, "ObjectiveSettings", s, nil)
	}
	if env, _ := tameEnvironment(im.Environment); env != nil {
		writeEnvironment(x, env)
	}
	if s := im.Stage; s != nil {
		x.start("StageLabel")
		x.attr("Name", s.Name)
		x.quantity("X", s.X)
		x.quantity("Y", s.Y)
		x.quantity("Z", s.Z)
		x.end()
	}
	p, _ := tamePixels(im.Pixels)
	x.start("Pixels")
	x.attr("ID", "Pixels:"+im.ID.Key())
	pixelsAttrs(x, &p)
	for j := range p.Channels {
		writeChannel(x, &p.Channels[j])
	}
	x.start("MetadataOnly")
	x.end()
	if im.Pixels != nil {
		planes, _ := tamePlanes(im.Pixels.Planes)
		writePlanes(x, planes)
	}
	x.end()
	for _, r := range im.ROIs {
		if restorableROI(e.rois[r]) {
			e.ref("ROIRef", r)
		}
	}
	e.refList("AnnotationRef", e.refs[im.ID])
	record := e.imageRecord(i)
	e.ref("AnnotationRef", record)
	e.ref("AnnotationRef", nextID(record))
	x.end()
}

func pixelsAttrs(x *xmlWriter, p *Pixels) {
	x.attr("DimensionOrder", p.Order)
	x.attr("Type", p.Type)
	x.optInt("SignificantBits", p.SignificantBits)
	x.int("SizeX", int64(p.SizeX))
	x.int("SizeY", int64(p.SizeY))
	x.int("SizeZ", int64(p.SizeZ))
	x.int("SizeC", int64(p.SizeC))
	x.int("SizeT", int64(p.SizeT))
	x.quantity("PhysicalSizeX", p.PhysicalX)
	x.quantity("PhysicalSizeY", p.PhysicalY)
	x.quantity("PhysicalSizeZ", p.PhysicalZ)
	x.quantity("TimeIncrement", p.TimeIncrement)
	x.optInt("WaveStart", p.WaveStart)
	x.optInt("WaveIncrement", p.WaveIncrement)
	x.optText("Methodology", p.Methodology)
}

func channelAttrs(x *xmlWriter, c *Channel) {
	x.attr("ID", string(c.ID))
	x.optText("Name", c.Name)
	x.optInt("SamplesPerPixel", c.Samples)
	x.optional("IlluminationType", c.Illumination)
	x.quantity("PinholeSize", c.Pinhole)
	x.optional("AcquisitionMode", c.AcquisitionMode)
	x.optional("ContrastMethod", c.ContrastMethod)
	x.quantity("ExcitationWavelength", c.Excitation)
	x.quantity("EmissionWavelength", c.Emission)
	x.optText("Fluor", c.Fluor)
	x.optFloat("NDFilter", c.NDFilter)
	x.optInt("PockelCellSetting", c.PockelCell)
	x.color("Color", c.Color)
	x.optText("LookupTable", c.LookupTable)
	x.optional("PhotometricInterpretation", c.Photometric)
	x.optional("OTF", string(c.OTF))
}

// annotations writes the annotations that OME elements show, the records of
// omero-cli-transfer and, last, the omerods/pack part.
func (e *encoder) annotations() {
	e.x.start("StructuredAnnotations")
	for i := range e.doc.Annotations {
		a := &e.doc.Annotations[i]
		if e.placed[a.ID] {
			record := ID("")
			if a.Kind == FileAnnotation {
				record = e.fileRecord(i)
			}
			e.annotation(a, record)
		}
	}
	e.records()
	e.part()
	e.x.end()
}

// annotation writes one annotation; record is that of the path of its file.
func (e *encoder) annotation(a *Annotation, record ID) {
	x := e.x
	x.start(string(a.Kind) + "Annotation")
	x.attr("ID", string(a.ID))
	x.optional("Namespace", namespaceURI(a.Namespace))
	if e.users[a.Details.Owner] != nil {
		x.attr("Annotator", string(a.Details.Owner))
	}
	x.element("Description", a.Description)
	if record != "" {
		e.ref("AnnotationRef", record)
	}
	switch {
	case a.Kind == FileAnnotation:
		e.binaryFile(a.File)
	case a.Kind == XMLAnnotation:
		x.start("Value")
		if embeddable(a.Text) {
			x.raw(a.Text)
		}
		x.end()
	default:
		writeValue(x, a)
	}
	x.end()
}

// writeValue writes what an annotation says as text, or as pairs; lists and
// files say nothing of the kind, nor does what has no value.
func writeValue(x *xmlWriter, a *Annotation) {
	if a.Null {
		return
	}
	text := a.Text
	switch a.Kind {
	case FileAnnotation, ListAnnotation:
		return
	case LongAnnotation:
		text = strconv.FormatInt(a.Long, 10)
	case DoubleAnnotation:
		text = string(appendFloat(nil, a.Double))
	case BooleanAnnotation:
		text = strconv.FormatBool(a.Bool)
	case TimestampAnnotation:
		text = formatTime(a.Time)
	}
	if a.Kind == MapAnnotation {
		writePairs(x, "Value", a.Pairs)
		return
	}
	x.start("Value")
	x.text(text)
	x.end()
}

// binaryFile describes an attached file. The schema wants its content or a
// reference with a SHA-1; without one, empty content stands for it.
func (e *encoder) binaryFile(f *Attachment) {
	x := e.x
	x.start("BinaryFile")
	x.attr("FileName", f.Name)
	x.int("Size", f.Size)
	x.optional("MIMEType", f.MediaType)
	if f.Algorithm == SHA1 && isSHA1(f.Hash) {
		x.start("External")
		x.attr("href", escapeURI(f.Path))
		x.attr("SHA1", f.Hash)
		x.end()
	} else {
		x.start("BinData")
		x.bool("BigEndian", false)
		x.int("Length", 0)
		x.end()
	}
	x.end()
}

func isSHA1(hash string) bool {
	return len(hash) == 40 && strings.Trim(hash, "0123456789abcdef") == ""
}
