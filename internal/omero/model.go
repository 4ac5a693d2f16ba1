package omero

import (
	"fmt"
	"slices"

	"omerods/internal/ice"
)

// Ref stands for an object of the server: an existing one, or a new one of a
// [Batch].
type Ref struct {
	kind string // the class
	id   int64  // 0 for a new object
	obj  *ice.Object
}

// Existing refers to an object that is there already. For annotations the kind
// is the class, for example omero.Kind(omero.TagAnnotation).
func Existing(kind Kind, id int64) Ref { return Ref{kind: string(kind), id: id} }

// ID is that of an existing object, 0 of a new one.
func (r Ref) ID() int64 { return r.id }

// Kind is the class of the object.
func (r Ref) Kind() Kind { return Kind(r.kind) }

// New says whether the object does not exist yet.
func (r Ref) New() bool { return r.obj != nil }

func modelClass(kind string) string { return "::omero::model::" + kind }

// object returns what stands for the reference in a request: the new object
// itself, or one that has nothing but its id.
func (c *Client) object(r Ref) *ice.Object {
	if r.obj != nil {
		return r.obj
	}
	return c.defs.New(modelClass(r.kind)).Set("id", c.rlong(r.id)).Set("loaded", false)
}

// fresh makes a new object.
func (c *Client) fresh(kind string) *ice.Object {
	return c.defs.New(modelClass(kind)).Set("loaded", true)
}

// enumeration makes an entry of an enumeration, which the server finds by its
// value.
func (c *Client) enumeration(kind, value string) *ice.Object {
	return c.fresh(kind).Set("value", c.rstring(value))
}

// pairs makes a sequence of NamedValue.
func (c *Client) pairs(list []Pair) []any {
	out := make([]any, len(list))
	for i, p := range list {
		out[i] = c.defs.New(modelClass("NamedValue")).Set("name", p.Key).Set("value", p.Value)
	}
	return out
}

// annotation makes a new annotation. That of a file refers to a.File.ID.
func (c *Client) annotation(a Annotation) (*ice.Object, error) {
	if c.defs.Class(modelClass(string(a.Kind))) == nil {
		return nil, failure(Invalid, "annotation", fmt.Sprintf("kind %q", a.Kind))
	}
	o := c.fresh(string(a.Kind)).Set("ns", c.optional(a.Namespace)).Set("name", c.optional(a.Name)).
		Set("description", c.optional(a.Description))
	if a.Null && nullable(a.Kind) {
		return o, nil
	}
	switch a.Kind {
	case TagAnnotation, CommentAnnotation, XMLAnnotation:
		o.Set("textValue", c.rstring(a.Text))
	case TermAnnotation:
		o.Set("termValue", c.rstring(a.Text))
	case LongAnnotation:
		o.Set("longValue", c.rlong(a.Long))
	case DoubleAnnotation:
		o.Set("doubleValue", c.rdouble(a.Double))
	case BooleanAnnotation:
		o.Set("boolValue", c.rbool(a.Bool))
	case TimestampAnnotation:
		o.Set("timeValue", c.rtime(a.Time))
	case MapAnnotation:
		o.Set("mapValue", c.pairs(a.Pairs))
	case FileAnnotation:
		if a.File.ID == 0 {
			return nil, failure(Invalid, "annotation", "file annotation without a file")
		}
		o.Set("file", c.object(Existing(KindOriginalFile, a.File.ID)))
	}
	return o, nil
}

// roi makes a new region with its shapes on an image.
func (c *Client) roi(image Ref, r ROI) (*ice.Object, error) {
	o := c.fresh(string(KindROI)).Set("image", c.object(image)).Set("name", c.optional(r.Name)).
		Set("description", c.optional(r.Description)).Set("shapesLoaded", true)
	shapes := make([]any, len(r.Shapes))
	for i, s := range r.Shapes {
		shape, err := c.shape(s)
		if err != nil {
			return nil, err
		}
		shapes[i] = shape.Set("roi", o)
	}
	return o.Set("shapesSeq", shapes), nil
}

func (c *Client) shape(s Shape) (*ice.Object, error) {
	g, ok := geometries[s.Kind]
	if !ok {
		return nil, failure(Invalid, "region", fmt.Sprintf("shape of kind %q", s.Kind))
	}
	o := c.fresh(string(s.Kind))
	for _, m := range g.numbers {
		if !slices.Contains(s.Null, m) {
			o.Set(m, c.rdouble(*s.number(m)))
		}
	}
	for _, m := range g.texts {
		o.Set(m, c.optional(*s.text(m)))
	}
	if s.Kind == Mask {
		o.Set("bytes", append([]byte{}, s.Bits...))
	}
	for field, v := range map[string]*int{"theZ": s.TheZ, "theT": s.TheT, "theC": s.TheC} {
		if v != nil {
			o.Set(field, c.rint(*v))
		}
	}
	for field, v := range map[string]*int32{"fillColor": s.Fill, "strokeColor": s.Stroke} {
		if v != nil {
			o.Set(field, c.value("RInt", *v))
		}
	}
	for field, v := range map[string]string{"fillRule": s.FillRule, "strokeDashArray": s.StrokeDash,
		"fontFamily": s.FontFamily, "fontStyle": s.FontStyle} {
		o.Set(field, c.optional(v))
	}
	o.Set("strokeWidth", c.length(s.StrokeWidth)).Set("fontSize", c.length(s.FontSize))
	if s.Locked != nil {
		o.Set("locked", c.rbool(*s.Locked))
	}
	if t := s.Transform; t != nil {
		o.Set("transform", c.fresh("AffineTransform").
			Set("a00", c.rdouble(t.A00)).Set("a10", c.rdouble(t.A10)).Set("a01", c.rdouble(t.A01)).
			Set("a11", c.rdouble(t.A11)).Set("a02", c.rdouble(t.A02)).Set("a12", c.rdouble(t.A12)))
	}
	return o, nil
}
