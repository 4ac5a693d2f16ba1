package pack

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// field is a field of a struct that an attribute of OME-XML stands for. Its
// rules tell what OME-XML allows: a unit is the default one, "positive" numbers
// are above 0, "least0" are not below, a "fraction" is from 0 to 1, and the name
// of a list in wordLists is that of the words there are.
type field struct {
	index []int
	name  string
	unit  string
	rule  string
	words []string
}

var wordLists = map[string][]string{
	"microscopes": microscopes, "corrections": corrections, "immersions": immersions, "detectors": detectors, "laserMediums": laserMediums,
	"pulses": pulses, "filterTypes": filterTypes, "mediums": mediums, "binnings": binnings, "experiments": experiments,
	"lights": nil, // depends on the kind
}

var fieldCache sync.Map // reflect.Type to []field

func fieldsOf(t reflect.Type) []field {
	if f, ok := fieldCache.Load(t); ok {
		return f.([]field)
	}
	var list []field
	for _, sf := range reflect.VisibleFields(t) {
		tag, ok := sf.Tag.Lookup("ome")
		if !ok {
			continue
		}
		parts := strings.Split(tag, ",")
		f := field{index: sf.Index, name: parts[0]}
		for _, p := range parts[1:] {
			words, isList := wordLists[p]
			switch {
			case isList:
				f.words = words
			case p == "positive" || p == "least0" || p == "fraction":
				f.rule = p
			default:
				f.unit = p
			}
		}
		list = append(list, f)
	}
	fieldCache.Store(t, list)
	return list
}

// eachField visits the fields of what v points to; those of pointers to
// nothing as well.
func eachField(v any, visit func(f field, value any, set func(any))) {
	s := reflect.ValueOf(v).Elem()
	for _, f := range fieldsOf(s.Type()) {
		x := s.FieldByIndex(f.index)
		visit(f, x.Interface(), func(to any) {
			if to == nil {
				x.SetZero()
			} else {
				x.Set(reflect.ValueOf(to))
			}
		})
	}
}

// fields writes the fields of what v points to as attributes.
func (x *xmlWriter) fields(v any) {
	eachField(v, func(f field, value any, _ func(any)) {
		switch value := value.(type) {
		case ID:
			x.optional(f.name, string(value))
		case string:
			x.optional(f.name, value)
		case *string:
			if value != nil {
				x.attr(f.name, *value)
			}
		case *int:
			x.optInt(f.name, value)
		case *float64:
			x.optFloat(f.name, value)
		case *bool:
			if value != nil {
				x.bool(f.name, *value)
			}
		case *Quantity:
			x.quantity(f.name, value)
		}
	})
}

// fields reads the fields of what v points to.
func (e *element) fields(v any) {
	eachField(v, func(f field, value any, set func(any)) {
		switch value.(type) {
		case ID:
			set(e.id(f.name))
		case string:
			set(e.get(f.name))
		case *string:
			set(e.optText(f.name))
		case *int:
			set(e.optInt(f.name))
		case *float64:
			set(e.optFloat(f.name))
		case *bool:
			set(e.optBool(f.name))
		case *Quantity:
			set(e.quantity(f.name, f.unit))
		}
	})
}

// tameFields takes away what OME-XML does not allow.
func tameFields(v any, exact *bool) {
	eachField(v, func(f field, value any, set func(any)) {
		ok := true
		switch value := value.(type) {
		case string:
			ok = value == "" || f.words == nil || slices.Contains(f.words, value)
		case *int:
			ok = value == nil || (f.rule == "" || *value > 0) && *value >= math.MinInt32 && *value <= math.MaxInt32
		case *float64:
			ok = value == nil || f.allows(*value)
		case *Quantity:
			ok = value == nil || f.allows(value.Value)
		}
		if !ok {
			*exact = false
			set(nil)
		}
	})
}

func (f field) allows(v float64) bool {
	switch f.rule {
	case "positive":
		return float32(v) > 0 // which is what a schema makes of it
	case "least0":
		return v >= 0
	case "fraction":
		return v >= 0 && v <= 1
	}
	return true
}

// fieldTexts visits the texts among the fields of what v points to.
func fieldTexts(of ID, v any, prefix string, index int, visit textVisit) {
	s := reflect.ValueOf(v).Elem()
	for _, f := range fieldsOf(s.Type()) {
		switch text := s.FieldByIndex(f.index).Addr().Interface().(type) {
		case *string:
			visit(of, prefix+f.name, index, text)
		case **string:
			if *text != nil {
				visit(of, prefix+f.name, index, *text)
			}
		}
	}
}

// fieldUnits checks the units among the fields of what v points to.
func (c *checker) fieldUnits(of ID, v any) {
	eachField(v, func(f field, value any, _ func(any)) {
		if q, ok := value.(*Quantity); ok {
			c.units(of, unitsLike(f.unit), q)
		}
	})
}

// unitsLike are the units of the kind that a unit is of.
func unitsLike(unit string) []string {
	for _, units := range [][]string{lengthUnits, timeUnits, powerUnits, frequencyUnits, potentialUnits, temperatureUnits, pressureUnits} {
		if slices.Contains(units, unit) {
			return units
		}
	}
	return nil
}
