package pack

import (
	"cmp"
	"fmt"
	"html/template"
	"strings"
	"time"
)

// page is what README.html shows.
type page struct {
	Kind, Name, Description string
	Facts                   []fact
	Notes                   *notes
	Sections                []section
	MoreSections            int
	LeftOut                 []fact // images without their files: name and reason
	MoreLeftOut             int
	Sums                    bool   // there is a SHA1SUMS
	Place                   string // the folder of a mount that takes the pack back
	Software                string
}

// fact is a line of a list of facts.
type fact struct {
	Label, Value string
	Time         string // machine readable, of a date
}

// section is a dataset, a plate or the images of neither.
type section struct {
	Anchor, Kind, Name, Description string
	Facts                           []fact
	Notes                           *notes
	Pictures                        []picture
	Grid                            *grid
	Images                          []imageRow
	More                            int // images that are not listed
}

// picture is a thumbnail with what stands below it.
type picture struct {
	Src, Href template.URL
	Alt, Name string
}

// pager makes a page of a document.
type pager struct {
	doc    *Document
	files  map[string]*File
	images map[ID]*Image
	sets   map[ID]*Fileset
	notes  map[ID]*Annotation
	of     map[ID][]*Link // annotations by what has them
	rois   map[ID]*ROI
	users  map[ID]*User
	groups map[ID]*Group
	places map[ID]string   // the well of an image, and its field in it
	taken  map[string]bool // anchors
	left   int             // bytes for further images
}

func newPage(d *Document, m *Manifest) *page {
	p := &pager{doc: d, files: map[string]*File{}, images: map[ID]*Image{}, sets: map[ID]*Fileset{}, notes: map[ID]*Annotation{},
		of: map[ID][]*Link{}, rois: map[ID]*ROI{}, users: map[ID]*User{}, groups: map[ID]*Group{}, places: map[ID]string{}, taken: map[string]bool{}, left: mostPageBytes}
	if m != nil {
		p.files = m.ByPath()
	}
	for i := range d.Images {
		p.images[d.Images[i].ID] = &d.Images[i]
	}
	for i := range d.Filesets {
		p.sets[d.Filesets[i].ID] = &d.Filesets[i]
	}
	for i := range d.Annotations {
		p.notes[d.Annotations[i].ID] = &d.Annotations[i]
	}
	for i := range d.Links {
		l := &d.Links[i]
		p.of[l.From] = append(p.of[l.From], l)
	}
	for i := range d.ROIs {
		p.rois[d.ROIs[i].ID] = &d.ROIs[i]
	}
	for i := range d.Users {
		p.users[d.Users[i].ID] = &d.Users[i]
	}
	for i := range d.Groups {
		p.groups[d.Groups[i].ID] = &d.Groups[i]
	}
	return p.page(m)
}

func (p *pager) page(m *Manifest) *page {
	o := p.doc.Origin
	kind := kindName(o.Object)
	out := &page{Kind: kind, Name: p.name(o.Name, o.Object), Place: strings.ToLower(kind) + "s",
		Software: strings.TrimSpace(shown(o.Software+" "+o.Version, mostNameRunes))}
	if m != nil {
		out.Sums = p.files[SumsFile] != nil
	}
	details, description := p.top()
	out.Description = shown(description, mostTextRunes)
	out.Facts = p.topFacts(details, m)
	out.Notes = p.notesOf(o.Object)
	p.sections(out)
	p.leftOut(out)
	return out
}

// leftOut lists the images that the pack was saved without.
func (p *pager) leftOut(out *page) {
	for _, l := range p.doc.LeftOut {
		if len(out.LeftOut) == mostSections {
			out.MoreLeftOut++
			continue
		}
		reason := "the server had lost its files"
		if l.Reason == Refused {
			reason = "the server did not give its files to who saved this"
		}
		out.LeftOut = append(out.LeftOut, fact{Label: p.name(l.Name, l.Image), Value: reason})
	}
}

// top finds the details and the description of what the pack is of.
func (p *pager) top() (Details, string) {
	id, d := p.doc.Origin.Object, p.doc
	for i := range d.Projects {
		if d.Projects[i].ID == id {
			return d.Projects[i].Details, d.Projects[i].Description
		}
	}
	for i := range d.Datasets {
		if d.Datasets[i].ID == id {
			return d.Datasets[i].Details, d.Datasets[i].Description
		}
	}
	for i := range d.Screens {
		if d.Screens[i].ID == id {
			return d.Screens[i].Details, d.Screens[i].Description
		}
	}
	for i := range d.Plates {
		if d.Plates[i].ID == id {
			return d.Plates[i].Details, d.Plates[i].Description
		}
	}
	if im := p.images[id]; im != nil {
		return im.Details, im.Description
	}
	return Details{Owner: d.Origin.Owner, Group: d.Origin.Group}, ""
}

func (p *pager) topFacts(d Details, m *Manifest) []fact {
	o := p.doc.Origin
	var f facts
	f.add("Contents", p.contents(m))
	f.add("Owner", p.person(cmp.Or(d.Owner, o.Owner)))
	f.add("Group", p.group(cmp.Or(d.Group, o.Group)))
	f.at("Created", d.Created)
	f.at("Changed", d.Updated)
	server := o.Host
	if o.Server != "" {
		server += " (OMERO " + o.Server + ")"
	}
	f.add("Server", server)
	f.add("Database", o.Database)
	f.add("Object", objectName(o.Object))
	f.at("Packed", p.doc.Packed)
	f.add("Packed by", strings.TrimSpace(o.Software+" "+o.Version))
	return f
}

// contents counts what is in the pack.
func (p *pager) contents(m *Manifest) string {
	d := p.doc
	var parts []string
	add := func(n int, one string) {
		if n > 0 {
			parts = append(parts, count(n, one))
		}
	}
	if len(d.Projects) > 0 || len(d.Datasets) > 1 {
		add(len(d.Datasets), "dataset")
	}
	if len(d.Screens) > 0 || len(d.Plates) > 1 {
		add(len(d.Plates), "plate")
	}
	add(len(d.Images), "image")
	shapes := 0
	for i := range d.ROIs {
		shapes += len(d.ROIs[i].Shapes)
	}
	if len(d.ROIs) > 0 {
		parts = append(parts, fmt.Sprintf("%s of interest (%s)", count(len(d.ROIs), "region"), count(shapes, "shape")))
	}
	if m != nil {
		var files int
		var bytes int64
		for i := range m.Files {
			if f := &m.Files[i]; f.Kind != Generated {
				files++
				bytes += max(f.Size, 0)
			}
		}
		if files > 0 {
			parts = append(parts, count(files, "file")+" of "+byteCount(bytes))
		}
	}
	return strings.Join(parts, ", ")
}

// facts are lines for a list; what is not known is left out.
type facts []fact

func (f *facts) add(label, value string) {
	if value != "" {
		*f = append(*f, fact{Label: label, Value: shown(value, mostValueRunes)})
	}
}

func (f *facts) at(label string, t time.Time) {
	if !t.IsZero() {
		*f = append(*f, fact{Label: label, Value: dateText(t), Time: dateMark(t)})
	}
}

// person names a user.
func (p *pager) person(id ID) string {
	u := p.users[id]
	if u == nil {
		return objectName(id)
	}
	full := strings.Join(strings.Fields(u.FirstName+" "+u.MiddleName+" "+u.LastName), " ")
	switch {
	case full == "":
		return u.Login
	case u.Login == "" || u.Login == full:
		return full
	}
	return full + " (" + u.Login + ")"
}

func (p *pager) group(id ID) string {
	g := p.groups[id]
	switch {
	case g == nil:
		return objectName(id)
	case g.Permissions == "":
		return g.Name
	}
	return g.Name + " (" + g.Permissions + ")"
}

// name is the name of an object, or what stands for one.
func (p *pager) name(name string, id ID) string {
	if strings.TrimSpace(name) == "" {
		return objectName(id)
	}
	return shown(name, mostNameRunes)
}

// sections lists the datasets and plates, and the images in neither.
func (p *pager) sections(out *page) {
	d := p.doc
	in := make(map[ID]bool, len(d.Images))
	for i := range d.Datasets {
		if len(out.Sections) == mostSections {
			out.MoreSections++
			continue
		}
		out.Sections = append(out.Sections, p.dataset(&d.Datasets[i]))
	}
	for i := range d.Plates {
		if len(out.Sections) == mostSections {
			out.MoreSections++
			continue
		}
		out.Sections = append(out.Sections, p.plate(&d.Plates[i]))
	}
	for i := range d.Datasets {
		for _, id := range d.Datasets[i].Images {
			in[id] = true
		}
	}
	for i := range d.Plates {
		for j := range d.Plates[i].Wells {
			for _, s := range d.Plates[i].Wells[j].Samples {
				in[s.Image] = true
			}
		}
	}
	var rest []ID
	for i := range d.Images {
		if !in[d.Images[i].ID] {
			rest = append(rest, d.Images[i].ID)
		}
	}
	if len(rest) > 0 {
		s := section{Anchor: p.anchor("images"), Kind: "Images", Name: "Images"}
		if len(out.Sections) > 0 {
			s.Name = "Further images"
			s.Description = "They come from the same files as images above, and are shown nowhere here."
		}
		p.fill(&s, rest)
		out.Sections = append(out.Sections, s)
	}
}

func (p *pager) dataset(ds *Dataset) section {
	s := section{Anchor: p.anchor(ds.ID), Kind: "Dataset", Name: p.name(ds.Name, ds.ID)}
	if ds.ID == p.doc.Origin.Object { // the head of the page says the rest
		s.Kind, s.Name = "Images", "Images"
	} else {
		s.Description = shown(ds.Description, mostTextRunes)
		s.Facts = p.sectionFacts(ds.ID, ds.Details, count(len(ds.Images), "image"))
		s.Notes = p.notesOf(ds.ID)
	}
	p.fill(&s, ds.Images)
	return s
}

func (p *pager) sectionFacts(id ID, d Details, contents string) []fact {
	var f facts
	f.add("Contents", contents)
	if d.Owner != p.doc.Origin.Owner {
		f.add("Owner", p.person(d.Owner))
	}
	f.at("Created", d.Created)
	f.at("Changed", d.Updated)
	f.add("Object", objectName(id))
	return f
}

// fill lists images, and those thumbnails of them that there are.
func (p *pager) fill(s *section, ids []ID) {
	for _, id := range ids {
		im := p.images[id]
		if im == nil {
			continue
		}
		if p.left <= 0 {
			s.More++
			continue
		}
		row := p.row(im)
		p.left -= row.size
		s.Images = append(s.Images, row)
		if src := p.thumbnail(id); src != "" && s.Grid == nil {
			s.Pictures = append(s.Pictures, picture{Src: src, Href: template.URL("#" + row.Anchor), Alt: "Thumbnail of " + row.Name, Name: row.Name})
		}
	}
}

// thumbnail is the link to the picture of an image, "" when there is none.
func (p *pager) thumbnail(id ID) template.URL {
	if path := Picture(id); p.files[path] != nil {
		return link(path)
	}
	return ""
}
