package pack

import (
	"slices"
	"strings"
)

func (d *decoder) roi(e *element) {
	r := ROI{ID: e.id("ID"), Name: e.get("Name")}
	e.children(func(c *element) {
		switch {
		case d.common(c, r.ID, &r.Description, &r.Details):
		case c.name.Local == "Union":
			c.children(func(c *element) {
				if s, ok := d.shape(c); ok {
					r.Shapes = append(r.Shapes, s)
				}
			})
		default:
			c.skip()
		}
	})
	d.doc.ROIs = append(d.doc.ROIs, r)
}

// shape reads a shape of OME or of the omerods/pack part. It reports false
// for an element that is none.
func (d *decoder) shape(e *element) (Shape, bool) {
	if !slices.Contains(shapeKinds, ShapeKind(e.name.Local)) {
		e.skip() // a later version may give it any attributes
		return Shape{}, false
	}
	s := Shape{
		ID: e.id("ID"), Kind: ShapeKind(e.name.Local),
		TheZ: e.optInt("TheZ"), TheT: e.optInt("TheT"), TheC: e.optInt("TheC"),
		Text:        e.get("Text"),
		Fill:        e.color("FillColor"),
		FillRule:    e.get("FillRule"),
		Stroke:      e.color("StrokeColor"),
		StrokeDash:  e.get("StrokeDashArray"),
		StrokeWidth: e.quantity("StrokeWidth", Pixel),
		FontSize:    e.quantity("FontSize", Point),
		FontFamily:  e.get("FontFamily"),
		FontStyle:   e.get("FontStyle"),
		Null:        words(e.get("Null")),
	}
	if _, ok := e.lookup("Locked"); ok {
		s.Locked = new(e.flag("Locked"))
	}
	readGeometry(e, &s)
	e.children(func(c *element) {
		switch {
		case c.name.Local == "Transform":
			s.Transform = &Transform{
				A00: c.float("A00"), A10: c.float("A10"), A01: c.float("A01"),
				A11: c.float("A11"), A02: c.float("A02"), A12: c.float("A12"),
			}
			c.skip()
		case c.name.Local == "BinData" && s.Kind == Mask:
			s.Bits = c.base64()
		case !d.common(c, s.ID, new(string), &Details{}):
			c.skip()
		}
	})
	return s, true
}

// words are the parts of a text between spaces, nil for none.
func words(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Fields(s)
}

func readGeometry(e *element, s *Shape) {
	switch s.Kind {
	case Line:
		s.X1, s.Y1, s.X2, s.Y2 = e.float("X1"), e.float("Y1"), e.float("X2"), e.float("Y2")
	case Polygon, Polyline:
		s.Points = e.get("Points")
	case PathShape:
		s.D = e.get("D")
	case Rectangle, Mask:
		s.X, s.Y, s.Width, s.Height = e.float("X"), e.float("Y"), e.float("Width"), e.float("Height")
	case Ellipse:
		s.X, s.Y, s.RadiusX, s.RadiusY = e.float("X"), e.float("Y"), e.float("RadiusX"), e.float("RadiusY")
	case PointShape, Label:
		s.X, s.Y = e.float("X"), e.float("Y")
	}
	if s.Kind == Line || s.Kind == Polyline {
		s.MarkerStart, s.MarkerEnd = e.get("MarkerStart"), e.get("MarkerEnd")
	}
}
