package repository

import (
	"fmt"
	"strconv"
	"strings"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// shapeFields maps the attributes of OME-XML shapes to properties where the
// names are not the same but for the first letter.
var shapeFields = map[string]string{"Text": "textValue", "ID": ""}

// addROI makes a region that a file brought along.
func (p *parts) addROI(image *store.Row, r *imaging.ROI) error {
	v := store.Values{"image": image}
	if r.Name != "" {
		v["name"] = cutName(r.Name)
	}
	if r.Description != "" {
		v["description"] = r.Description
	}
	roi, err := p.a.Create("Roi", v)
	if err != nil {
		return err
	}
	for i := range r.Shapes {
		if err := p.addShape(roi, &r.Shapes[i]); err != nil {
			return err
		}
	}
	return p.annotate(roi, r.Annotations)
}

// addShape makes a shape; kinds and attributes that the model does not know are
// left out.
func (p *parts) addShape(roi *store.Row, s *imaging.Shape) error {
	a, m := p.a, p.a.Tx().Model()
	class := m.Class(s.Kind)
	if class == nil || class.Abstract || !class.IsA(m.Class("Shape")) {
		return nil
	}
	v := store.Values{"roi": roi}
	for name, text := range s.Attrs {
		if strings.HasSuffix(name, "Unit") {
			continue
		}
		field, ok := shapeFields[name]
		if !ok {
			field = strings.ToLower(name[:1]) + name[1:]
		}
		prop := class.Property(field)
		if field == "" || prop == nil {
			continue
		}
		x, err := shapeValue(prop, text, s.Attrs[name+"Unit"])
		if err != nil {
			return &Failure{"error-on-init", fmt.Errorf("%s of a %s: %w", name, s.Kind, err)}
		}
		v[field] = x
	}
	if t := s.Transform; t != nil {
		row, err := a.Create("AffineTransform", store.Values{
			"a00": t[0], "a10": t[1], "a01": t[2], "a11": t[3], "a02": t[4], "a12": t[5],
		})
		if err != nil {
			return err
		}
		v["transform"] = row
	}
	if s.Kind == "Mask" {
		v["bytes"] = s.Bytes
	}
	row, err := a.Create(s.Kind, v)
	if err != nil {
		return err
	}
	return p.annotate(row, s.Annotations)
}

// shapeValue converts an attribute to the type of a property.
func shapeValue(p *store.Property, text, unit string) (any, error) {
	switch p.Kind {
	case store.KindString:
		return text, nil
	case store.KindBool:
		return strconv.ParseBool(text)
	case store.KindInt:
		n, err := strconv.ParseInt(text, 10, 64)
		return int(int32(n)), err // colours may be written unsigned
	case store.KindDouble:
		return strconv.ParseFloat(text, 64)
	case store.KindQuantity:
		value, err := strconv.ParseFloat(text, 64)
		l := imaging.ParseLength(text, unit, defaultShapeUnit(p.Name))
		if err != nil || l.Unit == "" {
			return nil, err
		}
		return store.Quantity{Value: value, Unit: p.Enum.Values[l.Unit]}, nil
	}
	return nil, nil
}

// defaultShapeUnit is the unit of a length without one, OME-XML 2016-06.
func defaultShapeUnit(property string) string {
	if property == "fontSize" {
		return "POINT"
	}
	return "PIXEL"
}
