//go:build peer

package omeropy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"omerods/internal/sandbox/store"
)

// loss is what omero-cli-transfer does not keep of objects.
type loss int

const (
	nothing  loss = iota
	packed        // what its packs do not hold
	unpacked      // what it does not restore of packs that hold everything
)

// graph writes objects down as the server stores them, without ids, owners and
// times, so that equal objects give equal texts; what is lost is left out.
type graph struct {
	s    *store.Store
	loss loss
	b    strings.Builder
}

// describe writes down an object with all that is below it.
func describe(class string, id int64, lost loss) string {
	g := &graph{s: box.Store(), loss: lost}
	g.object(class, id, "")
	return g.b.String()
}

func (g *graph) line(indent, format string, args ...any) {
	fmt.Fprintf(&g.b, indent+format+"\n", args...)
}

// below are the link and the class of what a class holds.
var below = map[string][2]string{"Project": {"ProjectDatasetLink", "Dataset"}, "Dataset": {"DatasetImageLink", "Image"}}

func (g *graph) object(class string, id int64, indent string) {
	row := g.s.Get(class, id)
	name := row.Text("name")
	if indent == "" && class != "Image" {
		name = "(top)" // a load may give the top another name
	}
	g.line(indent, "%s %q %q", class, name, row.Text("description"))
	in := indent + "  "
	g.annotations(class, id, in)
	if class == "Image" {
		g.image(row, in)
	}
	c, ok := below[class]
	if !ok {
		return
	}
	var ids []int64
	g.s.Each(c[0], func(l *store.Row) bool {
		if l.Ref("parent") == id {
			ids = append(ids, l.Ref("child"))
		}
		return true
	})
	// The order of ids may change on the way.
	texts := make([]string, len(ids))
	for i, child := range ids {
		part := &graph{s: g.s, loss: g.loss}
		part.object(c[1], child, in)
		texts[i] = part.b.String()
	}
	slices.Sort(texts)
	g.b.WriteString(strings.Join(texts, ""))
}

func (g *graph) image(row *store.Row, indent string) {
	for _, p := range g.s.Collection("Image", row.ID, "pixels") {
		// The sum of the pixels stands for all of them.
		g.line(indent, "pixels %vx%vx%vx%vx%v %s %s", p.Get("sizeX"), p.Get("sizeY"), p.Get("sizeZ"), p.Get("sizeC"), p.Get("sizeT"),
			g.s.Get("PixelsType", p.Ref("pixelsType")).Text("value"), p.Text("sha1"))
	}
	g.line(indent, "%s", g.files(row))
	for _, r := range g.s.Collection("Image", row.ID, "rois") {
		var shapes []string
		for _, s := range g.s.Collection("Roi", r.ID, "shapes") {
			if g.loss != nothing && s.Class.Name == "Mask" {
				continue
			}
			shapes = append(shapes, s.Class.Name+" "+g.shape(s))
		}
		if len(shapes) == 0 {
			continue
		}
		g.line(indent, "ROI %q %q", r.Text("name"), r.Text("description"))
		if g.loss != unpacked {
			g.annotations("Roi", r.ID, indent+"  ")
		}
		slices.Sort(shapes) // the pack has them by kind
		for _, s := range shapes {
			g.line(indent, "  %s", s)
		}
	}
}

// exported is the name of a file that a pack, theirs or ours, has of the image
// without files.
var exported = regexp.MustCompile(`^([0-9]+\.tiff|segmentation \(drawn\)\.ome\.tiff) `)

// number is what tells files of one name apart in our packs.
var number = regexp.MustCompile(` \[[0-9]+\]`)

// files are the original files of an image: the main one first, and how many
// images they hold.
func (g *graph) files(image *store.Row) string {
	fileset := image.Ref("fileset")
	if fileset == store.None {
		switch g.loss {
		case packed:
			return fmt.Sprintf(`image 0 of 1 in ["%d.tiff"]`, image.ID)
		case unpacked:
			return fmt.Sprintf(`image 0 of 1 in ["%s.ome.tiff"]`, image.Text("name"))
		}
		return "no files"
	}
	entries := g.s.Collection("Fileset", fileset, "usedFiles")
	var names []string
	for _, e := range entries {
		f := g.s.Get("OriginalFile", e.Ref("originalFile"))
		name := f.Text("name")
		if g.loss == unpacked {
			name = number.ReplaceAllString(name, "")
		}
		names = append(names, name+" "+f.Text("hash"))
	}
	slices.Sort(names[1:])
	if len(names) == 1 && exported.MatchString(names[0]) {
		names[0] = names[0][:strings.LastIndex(names[0], " ")] // whose sum nobody knows beforehand
	}
	return fmt.Sprintf("image %v of %d in %q", image.Get("series"), len(g.s.Collection("Fileset", fileset, "images")), names)
}

var numbers = regexp.MustCompile(`-?[0-9.]+`)

// shape writes down a shape. A pack has planes for all of them, no dashes and
// transforms, and of the fonts the size in labels. Of colours and the like
// nothing comes back but those of points.
func (g *graph) shape(row *store.Row) string {
	var out []string
	for _, p := range row.Class.Stored() {
		v := row.Value(p)
		switch {
		case p.Name == "transform" || p.Name == "strokeDashArray" || p.Name == "fontFamily" || p.Name == "fontStyle":
			if g.loss != nothing || v == nil {
				continue
			}
		case p.Name == "fillColor" || p.Name == "strokeColor" || p.Name == "strokeWidth" || p.Name == "locked":
			if g.loss == unpacked {
				continue
			}
		case p.Name == "theZ" || p.Name == "theT" || p.Name == "theC":
			if g.loss == packed && v == nil {
				v = int32(0)
			}
		case p.Name == "markerStart" || p.Name == "markerEnd":
			if g.loss != nothing && row.Class.Name == "Polyline" || g.loss == unpacked && v == "None" { // which means none
				continue
			}
		case p.Name == "points":
			v = numbers.ReplaceAllStringFunc(v.(string), func(n string) string { // 20 comes back as 20.0
				f, _ := strconv.ParseFloat(n, 64)
				return fmt.Sprint(f)
			})
		case p.Name == "textValue":
			if v == nil {
				v = ""
			}
		case p.Kind == store.KindToOne, p.Kind == store.KindToMany:
			continue
		}
		if v != nil {
			out = append(out, fmt.Sprintf("%s=%v", p.Name, v))
		}
	}
	return strings.Join(out, " ")
}

// provenance is the namespace of the annotation that the tool puts on each
// image that it has unpacked.
const provenance = "openmicroscopy.org/cli/transfer"

// lostKinds are annotations of which a pack has nothing.
var lostKinds = []string{"BooleanAnnotation", "DoubleAnnotation", "TermAnnotation", "XmlAnnotation", "ListAnnotation"}

func (g *graph) annotations(class string, id int64, indent string) {
	var lines []string
	g.s.Each(class+"AnnotationLink", func(l *store.Row) bool {
		a := g.s.Get("Annotation", l.Ref("child"))
		if l.Ref("parent") != id || strings.HasPrefix(a.Text("ns"), "omerods/") ||
			g.loss != nothing && slices.Contains(lostKinds, a.Class.Name) || g.loss == unpacked && a.Text("ns") == provenance {
			return true
		}
		lines = append(lines, g.annotation(a))
		return true
	})
	slices.Sort(lines)
	for _, l := range lines {
		g.line(indent, "%s", l)
	}
}

func (g *graph) annotation(a *store.Row) string {
	ns, description := a.Text("ns"), a.Text("description")
	k := a.Class.Name
	if g.loss == packed || g.loss == unpacked && k == "MapAnnotation" {
		description = ""
	}
	if g.loss != nothing && (k == "TagAnnotation" || k == "CommentAnnotation") || g.loss == packed && k == "TimestampAnnotation" {
		ns = ""
	}
	var value any
	switch k {
	case "TagAnnotation", "CommentAnnotation", "XmlAnnotation":
		value = a.Text("textValue")
	case "MapAnnotation":
		pairs, _ := a.Get("mapValue").([]store.NamedValue)
		if g.loss == packed {
			pairs = lastOfEachKey(pairs)
		}
		value = pairs
	case "LongAnnotation":
		value = a.Get("longValue")
	case "TimestampAnnotation":
		value = a.Get("timeValue")
	case "FileAnnotation":
		f := g.s.Get("OriginalFile", a.Ref("file"))
		value = fmt.Sprintf("%q %v bytes %s", f.Text("name"), f.Get("size"), f.Text("hash"))
	}
	return fmt.Sprintf("%s ns=%q %q %v", k, ns, description, value)
}

// lastOfEachKey keeps the place of a key and its last value, as a Python
// dictionary does.
func lastOfEachKey(pairs []store.NamedValue) []store.NamedValue {
	var out []store.NamedValue
	for _, p := range pairs {
		if i := slices.IndexFunc(out, func(q store.NamedValue) bool { return q.Name == p.Name }); i >= 0 {
			out[i].Value = p.Value
		} else {
			out = append(out, p)
		}
	}
	return out
}
