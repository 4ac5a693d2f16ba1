package mount

import (
	"fmt"
	"sort"
	"strings"

	"omerods/internal/sandbox/store"
)

// describer writes down everything that a load must bring back, read from the
// server's own store: what has no ids in it is equal for equal objects.
type describer struct {
	s *store.Store
	b strings.Builder
}

// describe writes down an object with all that is below it.
func describe(s *store.Store, class string, id int64) string {
	d := &describer{s: s}
	d.object(class, id, "")
	return d.b.String()
}

func (d *describer) line(indent, format string, args ...any) {
	fmt.Fprintf(&d.b, indent+format+"\n", args...)
}

// children are what each class holds: the link class and the class linked.
var children = map[string][2]string{
	"Project": {"ProjectDatasetLink", "Dataset"}, "Dataset": {"DatasetImageLink", "Image"}, "Screen": {"ScreenPlateLink", "Plate"},
}

func (d *describer) object(class string, id int64, indent string) {
	row := d.s.Get(class, id)
	if row == nil {
		d.line(indent, "%s is missing", class)
		return
	}
	name := row.Text("name")
	if indent == "" {
		name = "(top)" // a load may give the top another name
	}
	d.line(indent, "%s %q %q", class, name, row.Text("description"))
	in := indent + "  "
	d.annotations(class, id, in)
	switch class {
	case "Image":
		d.image(id, in)
	case "Screen":
		d.screen(row, in)
	case "Plate":
		d.plate(row, in)
	}
	if c, ok := children[class]; ok {
		var ids []int64
		d.s.Each(c[0], func(l *store.Row) bool {
			if l.Ref("parent") == id {
				ids = append(ids, l.Ref("child"))
			}
			return true
		})
		sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
		for _, child := range ids {
			d.object(c[1], child, in)
		}
	}
}

func (d *describer) image(id int64, indent string) {
	for _, p := range d.s.Collection("Image", id, "pixels") {
		d.line(indent, "pixels %v×%v×%v×%v×%v %s", p.Get("sizeX"), p.Get("sizeY"), p.Get("sizeZ"), p.Get("sizeC"), p.Get("sizeT"),
			d.s.Get("PixelsType", p.Ref("pixelsType")).Text("value"))
	}
	if fs := d.s.Get("Image", id).Ref("fileset"); fs != store.None {
		d.annotations("Fileset", fs, indent+"fileset ")
		for i, e := range d.s.Collection("Fileset", fs, "usedFiles") {
			d.annotations("OriginalFile", e.Ref("originalFile"), fmt.Sprintf("%sfile %d ", indent, i))
		}
	}
	d.renderings(id, indent)
	d.folders("FolderImageLink", id, indent)
	for _, r := range d.s.Collection("Image", id, "rois") {
		d.line(indent, "ROI %q %q", r.Text("name"), r.Text("description"))
		d.annotations("Roi", r.ID, indent+"  ")
		d.folders("FolderRoiLink", r.ID, indent+"  ")
		for _, s := range d.s.Collection("Roi", r.ID, "shapes") {
			d.line(indent, "  %s %s", s.Class.Name, d.values(s))
			d.annotations("Shape", s.ID, indent+"    ")
		}
	}
}

// folders are those that hold something, with the folders around them.
func (d *describer) folders(class string, child int64, indent string) {
	d.s.Each(class, func(l *store.Row) bool {
		if l.Ref("child") != child {
			return true
		}
		for id, in := l.Ref("parent"), indent; id != store.None; in += "  " {
			f := d.s.Get("Folder", id)
			d.line(in, "folder %q %q", f.Text("name"), f.Text("description"))
			d.annotations("Folder", id, in+"  ")
			id = f.Ref("parentFolder")
		}
		return true
	})
}

// renderings are the settings of the image's owner.
func (d *describer) renderings(id int64, indent string) {
	for _, p := range d.s.Collection("Image", id, "pixels") {
		for _, rd := range d.s.Collection("Pixels", p.ID, "settings") {
			if rd.Owner != d.s.Get("Image", id).Owner {
				continue
			}
			d.line(indent, "settings %s %s [%s]", d.values(rd), d.s.Get("RenderingModel", rd.Ref("model")).Text("value"),
				d.values(d.s.Get("QuantumDef", rd.Ref("quantization"))))
			for _, cb := range d.s.Collection("RenderingDef", rd.ID, "waveRendering") {
				d.line(indent, "  %s %s reversed %d times", d.values(cb), d.s.Get("Family", cb.Ref("family")).Text("value"),
					len(d.s.Collection("ChannelBinding", cb.ID, "spatialDomainEnhancement")))
			}
		}
	}
}

// values are the own properties of a row: numbers, texts, and transforms.
func (d *describer) values(row *store.Row) string {
	var out []string
	for _, p := range row.Class.Stored() {
		v := row.Value(p)
		if v == nil {
			continue
		}
		switch p.Kind {
		case store.KindToOne:
			if p.Name == "transform" {
				out = append(out, "transform["+d.values(d.s.Get("AffineTransform", v.(int64)))+"]")
			}
		case store.KindToMany:
		default:
			out = append(out, fmt.Sprintf("%s=%v", p.Name, v))
		}
	}
	return strings.Join(out, " ")
}

func (d *describer) annotations(class string, id int64, indent string) {
	var lines []string
	d.s.Each(class+"AnnotationLink", func(l *store.Row) bool {
		if l.Ref("parent") != id {
			return true
		}
		a := d.s.Get("Annotation", l.Ref("child"))
		if a == nil || strings.HasPrefix(a.Text("ns"), "omerods/") {
			return true
		}
		text := a.Class.Name + " " + d.values(a)
		if file := a.Ref("file"); file != store.None {
			f := d.s.Get("OriginalFile", file)
			text += fmt.Sprintf(" file %q %v bytes %s %s", f.Text("name"), f.Get("size"), f.Text("hash"), f.Text("mimetype"))
			about := &describer{s: d.s}
			about.annotations("OriginalFile", file, " about it: ")
			text += about.b.String()
		}
		var sets []string
		d.s.Each("AnnotationAnnotationLink", func(l *store.Row) bool {
			if l.Ref("child") == a.ID {
				set := d.s.Get("Annotation", l.Ref("parent"))
				sets = append(sets, set.Text("ns")+"/"+set.Text("textValue"))
			}
			return true
		})
		sort.Strings(sets)
		if class != "Annotation" {
			about := &describer{s: d.s}
			about.annotations("Annotation", a.ID, " with: ")
			text += about.b.String()
		}
		lines = append(lines, text+" "+strings.Join(sets, ","))
		return true
	})
	sort.Strings(lines)
	for _, l := range lines {
		d.line(indent, "note %s", l)
	}
}
