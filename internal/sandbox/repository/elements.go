package repository

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"omerods/internal/sandbox/hql"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// parts are the rows that several things of a fileset may refer to, by the ids
// that its OME-XML gives them.
type parts struct {
	a     *store.Author
	set   *imaging.Fileset // nil for an image without files
	rows  map[string]*store.Row
	notes map[string]*store.Row // annotations
}

func newParts(a *store.Author, set *imaging.Fileset) *parts {
	return &parts{a: a, set: set, rows: make(map[string]*store.Row), notes: make(map[string]*store.Row)}
}

// fieldNames maps the attributes of OME-XML to properties where the names are
// not the same but for the first letter.
var fieldNames = map[string]string{
	"ID": "", "Offset": "offsetValue", "PinholeSize": "pinHoleSize", "NDFilter": "ndFilter", "IlluminationType": "illumination",
	"AcquisitionMode": "mode", "CO2Percent": "co2percent", "X": "positionX", "Y": "positionY", "Z": "positionZ",
}

// defaultUnits are those of quantities without one, OME-XML 2016-06.
var defaultUnits = map[string]string{
	"workingDistance": "MICROMETER", "pinHoleSize": "MICROMETER", "wavelength": "NANOMETER",
	"cutIn": "NANOMETER", "cutOut": "NANOMETER", "cutInTolerance": "NANOMETER", "cutOutTolerance": "NANOMETER",
	"power": "MILLIWATT", "repetitionRate": "HERTZ", "readOutRate": "MEGAHERTZ", "voltage": "VOLT",
	"temperature": "CELSIUS", "airPressure": "MILLIBAR", "deltaT": "SECOND", "exposureTime": "SECOND", "timeIncrement": "SECOND",
	"positionX": "REFERENCEFRAME", "positionY": "REFERENCEFRAME", "positionZ": "REFERENCEFRAME",
}

// values makes values for the properties of a class of an element's
// attributes. Those that the model does not know are left out; a missing
// enumeration value that the database requires becomes "Unknown" or "Other".
func (p *parts) values(class string, e *imaging.Element) (store.Values, error) {
	c := p.a.Tx().Model().Class(class)
	v := store.Values{}
	for _, attr := range e.List {
		name := attr.Name.Local
		field, known := fieldNames[name]
		if !known {
			first, n := utf8.DecodeRuneInString(name)
			field = string(unicode.ToLower(first)) + name[n:]
		}
		prop := c.Property(field)
		if field == "" || prop == nil || !prop.Stored() || strings.HasSuffix(name, "Unit") {
			continue
		}
		x, err := p.value(prop, strings.TrimSpace(attr.Value), e.Attr(name+"Unit"))
		if err != nil {
			return nil, &Failure{"error-on-init", fmt.Errorf("%s of %s: %w", name, e.Name(), err)}
		}
		if x != nil {
			v[field] = x
		}
	}
	for _, prop := range c.Stored() {
		if prop.Required && prop.Kind == store.KindToOne && prop.Target.Enum && v[prop.Name] == nil {
			if id := p.enum(prop, ""); id != store.None {
				v[prop.Name] = id
			}
		}
	}
	if m := e.Child("Map"); m != nil && c.Property("map") != nil {
		pairs := []store.NamedValue{}
		for i := range m.Children {
			pairs = append(pairs, store.NamedValue{Name: m.Children[i].Attr("K"), Value: m.Children[i].Text})
		}
		v["map"] = pairs
	}
	return v, nil
}

// value converts an attribute to the type of a property; nil leaves it out.
func (p *parts) value(prop *store.Property, text, symbol string) (any, error) {
	switch prop.Kind {
	case store.KindString:
		return text, nil
	case store.KindBool:
		return strconv.ParseBool(text)
	case store.KindInt:
		n, err := strconv.ParseInt(text, 10, 32)
		return int(n), err
	case store.KindDouble:
		return strconv.ParseFloat(text, 64)
	case store.KindQuantity:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, err
		}
		if unit, ok := unitOf(prop, symbol); ok {
			return store.Quantity{Value: n, Unit: unit}, nil
		}
	case store.KindToOne:
		if prop.Target.Enum {
			if id := p.enum(prop, text); id != store.None {
				return id, nil
			}
		}
	}
	return nil, nil
}

// unitOf finds the unit with that sign among those of a property.
func unitOf(prop *store.Property, symbol string) (int32, bool) {
	if symbol == "" {
		unit, ok := prop.Enum.Values[defaultUnits[prop.Name]]
		return unit, ok
	}
	for name, unit := range prop.Enum.Values {
		if hql.Symbol(name) == symbol {
			return unit, true
		}
	}
	return 0, false
}

// enum finds a value of an enumeration; for one that the server does not know
// that of the unknown or of all others, if there is one.
func (p *parts) enum(prop *store.Property, text string) int64 {
	for _, value := range []string{text, "Other", "Unknown"} {
		if id := p.a.Tx().Enum(prop.Target.Name, value); value != "" && id != store.None {
			return id
		}
	}
	return store.None
}

// make makes a row of an element. What refers to its id finds it.
func (p *parts) make(class string, e *imaging.Element, more store.Values) (*store.Row, error) {
	v, err := p.values(class, e)
	if err != nil {
		return nil, err
	}
	for name, value := range more {
		v[name] = value
	}
	row, err := p.a.Create(class, v)
	if err != nil {
		return nil, err
	}
	return row, p.annotate(row, e.Refs("AnnotationRef"))
}

// refer adds what an element refers to by id, if that is there.
func (p *parts) refer(v store.Values, name, id string) {
	if row := p.rows[id]; row != nil && id != "" {
		v[name] = row
	}
}
