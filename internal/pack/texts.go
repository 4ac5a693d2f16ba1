package pack

// textVisit is called for one free text of a document: whose it is, which
// field, and which one where a field is a list.
type textVisit func(of ID, field string, index int, text *string)

// originTexts names the Origin in the texts of a document.
const originTexts = ID("Origin:")

// eachText visits every text that a user or a server may fill with anything.
// XML cannot hold all of them; those it cannot are kept aside by this visit's
// names, so the names are part of the format.
func eachText(d *Document, m *Manifest, visit textVisit) {
	o := &d.Origin
	visit(originTexts, "Host", 0, &o.Host)
	visit(originTexts, "Database", 0, &o.Database)
	visit(originTexts, "Server", 0, &o.Server)
	visit(originTexts, "Name", 0, &o.Name)
	visit(originTexts, "Software", 0, &o.Software)
	visit(originTexts, "Version", 0, &o.Version)
	for i := range d.Users {
		u := &d.Users[i]
		visit(u.ID, "UserName", 0, &u.Login)
		visit(u.ID, "FirstName", 0, &u.FirstName)
		visit(u.ID, "MiddleName", 0, &u.MiddleName)
		visit(u.ID, "LastName", 0, &u.LastName)
		visit(u.ID, "Email", 0, &u.Email)
		visit(u.ID, "Institution", 0, &u.Institution)
	}
	for i := range d.Groups {
		g := &d.Groups[i]
		visit(g.ID, "Name", 0, &g.Name)
		visit(g.ID, "Description", 0, &g.Description)
	}
	for i := range d.Projects {
		p := &d.Projects[i]
		visit(p.ID, "Name", 0, &p.Name)
		visit(p.ID, "Description", 0, &p.Description)
	}
	for i := range d.Datasets {
		s := &d.Datasets[i]
		visit(s.ID, "Name", 0, &s.Name)
		visit(s.ID, "Description", 0, &s.Description)
	}
	for i := range d.Folders {
		f := &d.Folders[i]
		visit(f.ID, "Name", 0, &f.Name)
		visit(f.ID, "Description", 0, &f.Description)
	}
	eachPlateText(d, visit)
	eachInstrumentText(d, visit)
	for i := range d.Images {
		eachImageText(&d.Images[i], visit)
	}
	eachFilesetText(d, visit)
	for i := range d.LeftOut {
		visit(d.LeftOut[i].Image, "Name", 0, &d.LeftOut[i].Name)
	}
	eachROIText(d, visit)
	eachAnnotationText(d, visit)
	if m == nil {
		return
	}
	for i := range m.Files {
		visit(manifestTexts, "MediaType", i, &m.Files[i].MediaType)
	}
}

// manifestTexts names the manifest in the texts of a document.
const manifestTexts = ID("Manifest:")

func eachPlateText(d *Document, visit textVisit) {
	for i := range d.Screens {
		s := &d.Screens[i]
		visit(s.ID, "Name", 0, &s.Name)
		visit(s.ID, "Description", 0, &s.Description)
		visit(s.ID, "Type", 0, &s.Type)
		visit(s.ID, "ProtocolIdentifier", 0, &s.ProtocolIdentifier)
		visit(s.ID, "ProtocolDescription", 0, &s.ProtocolDescription)
		visit(s.ID, "ReagentSetIdentifier", 0, &s.ReagentSetIdentifier)
		visit(s.ID, "ReagentSetDescription", 0, &s.ReagentSetDescription)
		for j := range s.Reagents {
			eachReagentText(&s.Reagents[j], visit)
		}
	}
	for i := range d.Reagents {
		eachReagentText(&d.Reagents[i], visit)
	}
	for i := range d.Plates {
		p := &d.Plates[i]
		visit(p.ID, "Name", 0, &p.Name)
		visit(p.ID, "Description", 0, &p.Description)
		visit(p.ID, "Status", 0, &p.Status)
		visit(p.ID, "ExternalIdentifier", 0, &p.ExternalIdentifier)
		visit(p.ID, "RowNamingConvention", 0, &p.RowNaming)
		visit(p.ID, "ColumnNamingConvention", 0, &p.ColumnNaming)
		for j := range p.Runs {
			r := &p.Runs[j]
			visit(r.ID, "Name", 0, &r.Name)
			visit(r.ID, "Description", 0, &r.Description)
		}
		for j := range p.Wells {
			w := &p.Wells[j]
			visit(w.ID, "Type", 0, &w.Type)
			visit(w.ID, "Status", 0, &w.Status)
			visit(w.ID, "ExternalIdentifier", 0, &w.ExternalIdentifier)
			visit(w.ID, "ExternalDescription", 0, &w.ExternalDescription)
		}
	}
}

func eachReagentText(r *Reagent, visit textVisit) {
	visit(r.ID, "Name", 0, &r.Name)
	visit(r.ID, "Description", 0, &r.Description)
	visit(r.ID, "ReagentIdentifier", 0, &r.Identifier)
}

func eachImageText(im *Image, visit textVisit) {
	visit(im.ID, "Name", 0, &im.Name)
	visit(im.ID, "Description", 0, &im.Description)
	if p := im.Pixels; p != nil {
		visit(im.ID, "PixelsType", 0, &p.Type)
		visit(im.ID, "DimensionOrder", 0, &p.Order)
		visit(im.ID, "PixelsSHA1", 0, &p.SHA1)
		for i := range p.Channels {
			c := &p.Channels[i]
			visitOptional(visit, c.ID, "Name", c.Name)
			visitOptional(visit, c.ID, "LookupTable", c.LookupTable)
			visitOptional(visit, c.ID, "Fluor", c.Fluor)
			visit(c.ID, "IlluminationType", 0, &c.Illumination)
			visit(c.ID, "ContrastMethod", 0, &c.ContrastMethod)
			visit(c.ID, "AcquisitionMode", 0, &c.AcquisitionMode)
			visit(c.ID, "PhotometricInterpretation", 0, &c.Photometric)
			if c.Detector != nil {
				fieldTexts(c.ID, c.Detector, "Detector", 0, visit)
			}
		}
		visitOptional(visit, im.ID, "Methodology", p.Methodology)
	}
	if im.Objective != nil {
		fieldTexts(im.ID, im.Objective, "Objective", 0, visit)
	}
	if im.Environment != nil {
		eachPairText(im.ID, im.Environment.Map, visit)
	}
	if im.Stage != nil {
		visit(im.ID, "StageName", 0, &im.Stage.Name)
	}
	n := 0 // of the channels of all renderings
	for i := range im.Renderings {
		r := &im.Renderings[i]
		visit(im.ID, "RenderingName", i, &r.Name)
		visit(im.ID, "RenderingModel", i, &r.Model)
		for j := range r.Channels {
			visit(im.ID, "RenderingFamily", n, &r.Channels[j].Family)
			visit(im.ID, "RenderingLookupTable", n, &r.Channels[j].LookupTable)
			n++
		}
	}
}

func visitOptional(visit textVisit, of ID, field string, text *string) {
	if text != nil {
		visit(of, field, 0, text)
	}
}

func eachFilesetText(d *Document, visit textVisit) {
	for i := range d.Filesets {
		f := &d.Filesets[i]
		visit(f.ID, "Reader", 0, &f.Reader)
		for j := range f.Info {
			visit(f.ID, "InfoKey", j, &f.Info[j].Key)
			visit(f.ID, "InfoValue", j, &f.Info[j].Value)
		}
		for j := range f.Entries {
			visit(f.ID, "ClientPath", j, &f.Entries[j].ClientPath)
			visit(f.ID, "MediaType", j, &f.Entries[j].MediaType)
		}
	}
}

func eachROIText(d *Document, visit textVisit) {
	for i := range d.ROIs {
		r := &d.ROIs[i]
		visit(r.ID, "Name", 0, &r.Name)
		visit(r.ID, "Description", 0, &r.Description)
		for j := range r.Shapes {
			s := &r.Shapes[j]
			visit(s.ID, "Text", 0, &s.Text)
			visit(s.ID, "Points", 0, &s.Points)
			visit(s.ID, "D", 0, &s.D)
			visit(s.ID, "MarkerStart", 0, &s.MarkerStart)
			visit(s.ID, "MarkerEnd", 0, &s.MarkerEnd)
			visit(s.ID, "FillRule", 0, &s.FillRule)
			visit(s.ID, "StrokeDashArray", 0, &s.StrokeDash)
			visit(s.ID, "FontFamily", 0, &s.FontFamily)
			visit(s.ID, "FontStyle", 0, &s.FontStyle)
		}
	}
}

func eachAnnotationText(d *Document, visit textVisit) {
	for i := range d.Annotations {
		a := &d.Annotations[i]
		visit(a.ID, "Namespace", 0, &a.Namespace)
		visit(a.ID, "Name", 0, &a.Name)
		visit(a.ID, "Description", 0, &a.Description)
		visit(a.ID, "Value", 0, &a.Text)
		for j := range a.Pairs {
			visit(a.ID, "PairKey", j, &a.Pairs[j].Key)
			visit(a.ID, "PairValue", j, &a.Pairs[j].Value)
		}
		if f := a.File; f != nil {
			visit(a.ID, "FileName", 0, &f.Name)
			visit(a.ID, "FileDir", 0, &f.Dir)
			visit(a.ID, "MediaType", 0, &f.MediaType)
		}
	}
}
