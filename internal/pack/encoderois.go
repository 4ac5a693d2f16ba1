package pack

import "strings"

// drawable reports whether OME-XML has an element for the ROI: it wants at
// least one shape, and knows no paths.
func drawable(r *ROI) bool {
	for i := range r.Shapes {
		if r.Shapes[i].Kind != PathShape {
			return true
		}
	}
	return false
}

// restorableROI reports whether images may refer to the ROI.
// omero-cli-transfer passes over masks and would create an empty ROI from one
// that has nothing else.
func restorableROI(r *ROI) bool {
	for i := range r.Shapes {
		if k := r.Shapes[i].Kind; k != PathShape && k != Mask {
			return true
		}
	}
	return false
}

// roi writes a ROI as far as OME-XML can say it.
func (e *encoder) roi(r *ROI) {
	if !drawable(r) {
		return
	}
	x := e.x
	x.start("ROI")
	x.attr("ID", string(r.ID))
	x.optional("Name", r.Name)
	x.start("Union")
	for i := range r.Shapes {
		if r.Shapes[i].Kind == PathShape {
			continue
		}
		s, _ := tameShape(&r.Shapes[i])
		writeShape(x, &s)
	}
	x.end()
	e.refList("AnnotationRef", e.refs[r.ID])
	x.element("Description", r.Description)
	x.end()
}

// writeShape writes a shape, in a ROI of OME or in one of the omerods/pack part.
func writeShape(x *xmlWriter, s *Shape) {
	x.start(string(s.Kind))
	x.attr("ID", string(s.ID))
	geometryAttrs(x, s)
	x.optInt("TheZ", s.TheZ)
	x.optInt("TheT", s.TheT)
	x.optInt("TheC", s.TheC)
	x.optional("Text", s.Text)
	x.color("FillColor", s.Fill)
	x.optional("FillRule", s.FillRule)
	x.color("StrokeColor", s.Stroke)
	x.quantity("StrokeWidth", s.StrokeWidth)
	x.optional("StrokeDashArray", s.StrokeDash)
	x.optional("FontFamily", s.FontFamily)
	x.quantity("FontSize", s.FontSize)
	x.optional("FontStyle", s.FontStyle)
	if s.Locked != nil {
		x.bool("Locked", *s.Locked)
	}
	x.optional("Null", strings.Join(s.Null, " "))
	if t := s.Transform; t != nil {
		x.start("Transform")
		x.float("A00", t.A00)
		x.float("A10", t.A10)
		x.float("A01", t.A01)
		x.float("A11", t.A11)
		x.float("A02", t.A02)
		x.float("A12", t.A12)
		x.end()
	}
	if s.Kind == Mask {
		x.start("BinData")
		x.bool("BigEndian", true)
		x.int("Length", int64(len(s.Bits)))
		x.base64(s.Bits)
		x.end()
	}
	x.end()
}

func geometryAttrs(x *xmlWriter, s *Shape) {
	switch s.Kind {
	case Line:
		x.float("X1", s.X1)
		x.float("Y1", s.Y1)
		x.float("X2", s.X2)
		x.float("Y2", s.Y2)
	case Polygon, Polyline:
		x.attr("Points", s.Points)
	case PathShape:
		x.attr("D", s.D)
	default:
		x.float("X", s.X)
		x.float("Y", s.Y)
	}
	switch s.Kind {
	case Rectangle, Mask:
		x.float("Width", s.Width)
		x.float("Height", s.Height)
	case Ellipse:
		x.float("RadiusX", s.RadiusX)
		x.float("RadiusY", s.RadiusY)
	case Line, Polyline:
		x.optional("MarkerStart", s.MarkerStart)
		x.optional("MarkerEnd", s.MarkerEnd)
	}
}
