package pack

import (
	"strings"
)

// part writes what the rest of the document cannot say. docs/pack.md tells
// what each element means.
func (e *encoder) part() {
	id := NewID(KindAnnotation, e.record+2*int64(len(e.doc.Images)+len(e.doc.Plates))+int64(len(e.doc.Annotations)))
	e.startRecord(id, Namespace)
	e.x.start("Pack")
	e.x.attr("xmlns", partNamespace)
	e.x.attr("Version", FormatVersion)
	e.partOrigin()
	e.partDetails()
	e.partExperiments()
	e.partInstruments()
	e.partImages()
	e.partPlates()
	e.partFilesets()
	e.partLeftOut()
	e.partROIs()
	e.partFolders()
	e.partAnnotations()
	e.partLinks()
	e.partTexts()
	e.partManifest()
	e.x.end()
	e.x.end()
	e.x.end()
}

func (e *encoder) partOrigin() {
	o := &e.doc.Origin
	e.x.start("Origin")
	e.x.optional("Host", o.Host)
	e.x.optional("Database", o.Database)
	e.x.optional("Server", o.Server)
	e.x.optional("Object", string(o.Object))
	e.x.optional("Name", o.Name)
	e.x.optional("Owner", string(o.Owner))
	e.x.optional("Group", string(o.Group))
	e.x.optional("Software", o.Software)
	e.x.optional("Version", o.Version)
	e.x.time("Packed", e.doc.Packed)
	e.x.end()
}

// partDetails writes the provenance of objects of every kind.
func (e *encoder) partDetails() {
	d := e.doc
	for i := range d.Projects {
		e.details(d.Projects[i].ID, d.Projects[i].Details)
	}
	for i := range d.Datasets {
		e.details(d.Datasets[i].ID, d.Datasets[i].Details)
	}
	for i := range d.Folders {
		e.details(d.Folders[i].ID, d.Folders[i].Details)
	}
	for i := range d.Screens {
		e.details(d.Screens[i].ID, d.Screens[i].Details)
	}
	for i := range d.Plates {
		e.details(d.Plates[i].ID, d.Plates[i].Details)
	}
	eachPlatePart(d, func(id ID, details *Details) { e.details(id, *details) })
	for i := range d.Images {
		e.details(d.Images[i].ID, d.Images[i].Details)
	}
	for i := range d.Filesets {
		e.details(d.Filesets[i].ID, d.Filesets[i].Details)
	}
	for i := range d.ROIs {
		e.details(d.ROIs[i].ID, d.ROIs[i].Details)
	}
	for i := range d.Annotations {
		e.details(d.Annotations[i].ID, d.Annotations[i].Details)
	}
	for i := range d.Groups {
		e.details(d.Groups[i].ID, Details{Permissions: d.Groups[i].Permissions})
	}
}

func (e *encoder) details(of ID, d Details) {
	if d == (Details{}) {
		return
	}
	e.x.start("Details")
	e.x.attr("Of", string(of))
	e.x.optional("Owner", string(d.Owner))
	e.x.optional("Group", string(d.Group))
	e.x.time("Created", d.Created)
	e.x.time("Updated", d.Updated)
	e.x.optional("Permissions", d.Permissions)
	e.x.end()
}

func (e *encoder) partImages() {
	for i := range e.doc.Images {
		im := &e.doc.Images[i]
		x := e.x
		x.start("Image")
		x.attr("ID", string(im.ID))
		if im.Fileset != "" {
			x.attr("Fileset", string(im.Fileset))
		}
		if im.Series != 0 {
			x.int("Series", int64(im.Series))
		}
		x.optional("Path", im.Path)
		if p := im.Pixels; p != nil {
			x.optional("PixelsSHA1", p.SHA1)
		} else {
			x.attr("Pixels", "none")
		}
		if im.Archived != nil {
			x.bool("Archived", *im.Archived)
		}
		if im.Partial != nil {
			x.bool("Partial", *im.Partial)
		}
		x.optional("PhotometricInterpretation", commonPhotometric(im.Pixels))
		for _, r := range im.ROIs {
			if !restorableROI(e.rois[r]) {
				x.attr("ROIs", joinIDs(im.ROIs))
				break
			}
		}
		if o, exact := tameObjective(im.Objective); o != nil && !exact {
			writePart(x, "ObjectiveSettings", im.Objective, nil)
		}
		if env, exact := tameEnvironment(im.Environment); env != nil && !exact {
			writeEnvironment(x, im.Environment)
		}
		if im.Pixels != nil {
			e.partPixels(im.Pixels)
		}
		for j := range im.Renderings {
			e.rendering(&im.Renderings[j])
		}
		x.end()
	}
}

// partPixels writes pixels that OME-XML cannot hold exactly, and planes.
func (e *encoder) partPixels(p *Pixels) {
	x := e.x
	if _, exact := tamePixels(p); !exact {
		x.start("Pixels")
		pixelsAttrs(x, p)
		for j := range p.Channels {
			writeChannel(x, &p.Channels[j])
		}
		x.end()
	}
	if _, exact := tamePlanes(p.Planes); !exact {
		writePlanes(x, p.Planes)
	}
	for _, n := range p.NotedPlanes {
		x.start("NotedPlane")
		x.attr("ID", string(n.ID))
		x.int("Index", int64(n.Index))
		x.end()
	}
}

// commonPhotometric is what all channels say of themselves, which OME-XML
// cannot; "" when they do not agree.
func commonPhotometric(p *Pixels) string {
	if p == nil || len(p.Channels) == 0 {
		return ""
	}
	for i := range p.Channels {
		if p.Channels[i].Photometric != p.Channels[0].Photometric {
			return ""
		}
	}
	return p.Channels[0].Photometric
}

func (e *encoder) rendering(r *Rendering) {
	x := e.x
	x.start("Rendering")
	x.optional("Owner", string(r.Owner))
	x.optional("Name", r.Name)
	x.optional("Model", r.Model)
	x.int("DefaultZ", int64(r.DefaultZ))
	x.int("DefaultT", int64(r.DefaultT))
	x.optFloat("Compression", r.Compression)
	x.int("CodomainStart", int64(r.CodomainStart))
	x.int("CodomainEnd", int64(r.CodomainEnd))
	x.int("BitResolution", int64(r.BitResolution))
	for i := range r.Channels {
		c := &r.Channels[i]
		x.start("ChannelRendering")
		x.bool("Active", c.Active)
		x.float("Start", c.Start)
		x.float("End", c.End)
		x.optional("Family", c.Family)
		x.float("Coefficient", c.Coefficient)
		x.flag("NoiseReduction", c.NoiseReduction)
		x.flag("Reverse", c.Reverse)
		x.int("Color", int64(c.Color))
		x.optional("LookupTable", c.LookupTable)
		x.end()
	}
	x.end()
}

func (e *encoder) partPlates() {
	for i := range e.doc.Reagents {
		r := &e.doc.Reagents[i]
		e.x.start("Reagent")
		e.x.attr("ID", string(r.ID))
		e.x.optional("Name", r.Name)
		e.x.optional("ReagentIdentifier", r.Identifier)
		e.x.optional("Screen", string(r.Screen))
		e.x.element("Description", r.Description)
		e.x.end()
	}
	for i := range e.doc.Plates {
		p := &e.doc.Plates[i]
		if _, exact := tamePlate(p); !exact {
			e.x.start("Plate")
			plateAttrs(e.x, p, func(name string, _ ID) { e.x.optional("Name", name) })
			e.x.end()
		}
		for j := range p.Wells {
			w := &p.Wells[j]
			if w.Status == "" && e.reagentsShown(w) {
				continue
			}
			e.x.start("Well")
			e.x.attr("ID", string(w.ID))
			e.x.optional("Status", w.Status)
			e.x.optional("Reagents", joinIDs(w.Reagents))
			e.x.end()
		}
		for j := range p.Runs {
			if r := &p.Runs[j]; r.MaximumFields != nil && !positive(r.MaximumFields) {
				e.x.start("PlateAcquisition")
				e.x.attr("ID", string(r.ID))
				e.x.optInt("MaximumFieldCount", r.MaximumFields)
				e.x.end()
			}
		}
	}
}

func joinIDs(ids []ID) string {
	var b strings.Builder
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(string(id))
	}
	return b.String()
}
