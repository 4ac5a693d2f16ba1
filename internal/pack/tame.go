package pack

import (
	"math"
	"net/url"
	"slices"
	"strings"
)

// The functions of this file make what the OME-XML schema allows of an object
// and report whether that says everything. If not, the object also stands in
// the omerods/pack part, whole.

// among keeps a word that is in the list, or none.
func among(word *string, list []string, exact *bool) {
	if *word != "" && !slices.Contains(list, *word) {
		*word, *exact = "", false
	}
}

// mustBe replaces a word that is not in the list.
func mustBe(word *string, list []string, instead string, exact *bool) {
	if !slices.Contains(list, *word) {
		*word, *exact = instead, false
	}
}

func positive(n *int) bool { return n != nil && *n > 0 && *n <= math.MaxInt32 }

// atLeast drops a number below least, or beyond 32 bits.
func atLeast(n **int, least int, exact *bool) {
	if *n != nil && (**n < least || **n > math.MaxInt32) {
		*n, *exact = nil, false
	}
}

// positiveOnly drops a quantity that is not above zero as a number of 32 bits,
// which is what the schema makes of it.
func positiveOnly(q **Quantity, exact *bool) {
	if *q != nil && !(float32((*q).Value) > 0) {
		*q, *exact = nil, false
	}
}

// tamePixels takes nil for pixels of which nothing is known.
func tamePixels(in *Pixels) (Pixels, bool) {
	if in == nil {
		return Pixels{SizeX: 1, SizeY: 1, SizeZ: 1, SizeC: 1, SizeT: 1, Type: "uint8", Order: "XYZCT"}, false
	}
	p, exact := *in, true
	for _, n := range []*int{&p.SizeX, &p.SizeY, &p.SizeZ, &p.SizeC, &p.SizeT} {
		if !positive(n) {
			*n, exact = 1, false
		}
	}
	mustBe(&p.Type, pixelTypes, "uint8", &exact)
	mustBe(&p.Order, dimensionOrders, "XYZCT", &exact)
	atLeast(&p.SignificantBits, 1, &exact)
	positiveOnly(&p.PhysicalX, &exact)
	positiveOnly(&p.PhysicalY, &exact)
	positiveOnly(&p.PhysicalZ, &exact)
	if p.WaveStart != nil || p.WaveIncrement != nil || p.Methodology != nil {
		p.WaveStart, p.WaveIncrement, p.Methodology, exact = nil, nil, nil, false
	}
	p.Channels = slices.Clone(p.Channels)
	for i := range p.Channels {
		c := &p.Channels[i]
		if c.LookupTable != nil {
			c.LookupTable, exact = nil, false
		}
		if c.Photometric != "" {
			exact = exact && commonPhotometric(in) != ""
			c.Photometric = ""
		}
		tameTaking(c, &exact)
		among(&c.Illumination, illuminations, &exact)
		among(&c.ContrastMethod, contrastMethods, &exact)
		among(&c.AcquisitionMode, acquisitionModes, &exact)
		positiveOnly(&c.Excitation, &exact)
		positiveOnly(&c.Emission, &exact)
		atLeast(&c.Samples, 1, &exact)
		atLeast(&c.PockelCell, math.MinInt32, &exact)
	}
	return p, exact
}

// tamePlate looks at the plate's own attributes, not at its wells.
func tamePlate(in *Plate) (Plate, bool) {
	p, exact := *in, true
	among(&p.RowNaming, namings, &exact)
	among(&p.ColumnNaming, namings, &exact)
	atLeast(&p.Rows, 1, &exact)
	atLeast(&p.Columns, 1, &exact)
	atLeast(&p.DefaultField, 0, &exact)
	return p, exact
}

func tameShape(in *Shape) (Shape, bool) {
	s, exact := *in, in.Kind != PathShape && in.Null == nil
	s.Null = nil
	atLeast(&s.TheZ, 0, &exact)
	atLeast(&s.TheT, 0, &exact)
	atLeast(&s.TheC, 0, &exact)
	among(&s.FillRule, fillRules, &exact)
	among(&s.FontFamily, fontFamilies, &exact)
	among(&s.FontStyle, fontStyles, &exact)
	among(&s.MarkerStart, markers, &exact)
	among(&s.MarkerEnd, markers, &exact)
	if f := s.FontSize; f != nil && (f.Value != math.Trunc(f.Value) || f.Value < 0 || f.Value > math.MaxInt32) {
		exact = false
		if s.FontSize = nil; f.Value >= 0 && f.Value <= math.MaxInt32 {
			s.FontSize = &Quantity{Value: math.Round(f.Value), Unit: f.Unit}
		}
	}
	return s, exact
}

// escapeURI makes a relative URI reference of a path.
func escapeURI(p string) string { return (&url.URL{Path: p}).String() }

// namespaceURI is a namespace as the schema allows it, which wants a URI: the
// text itself where it is one, else the text with everything escaped.
func namespaceURI(ns string) string {
	if _, err := url.Parse(ns); err == nil && !strings.ContainsAny(ns, "[]<>\"{}|\\^`") && strings.Count(ns, "#") <= 1 {
		return ns
	}
	return strings.ReplaceAll(url.PathEscape(strings.ToValidUTF8(ns, "\ufffd")), ":", "%3A")
}
