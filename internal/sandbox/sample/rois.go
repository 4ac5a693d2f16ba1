package sample

import (
	"fmt"

	"omerods/internal/sandbox/store"
)

// rgba packs a colour as OMERO does: red in the top byte.
func rgba(r, g, b, a uint8) int {
	return int(int32(uint32(r)<<24 | uint32(g)<<16 | uint32(b)<<8 | uint32(a)))
}

// rois draws every kind of shape on the glomerulus.
func (s *study) rois() error {
	m := s.ada.t.Store.Model()
	pixel := func(v float64) store.Quantity {
		return store.Quantity{Value: v, Unit: m.Class("Shape").Property("strokeWidth").Enum.Values["PIXEL"]}
	}
	point := func(v float64) store.Quantity {
		return store.Quantity{Value: v, Unit: m.Class("Shape").Property("fontSize").Enum.Values["POINT"]}
	}
	yellow, red, blue := rgba(255, 255, 0, 255), rgba(255, 0, 0, 255), rgba(40, 90, 255, 255)
	// Half a mask: every second bit of 16 by 8.
	bits := make([]byte, 16)
	for i := range bits {
		bits[i] = 0xaa
	}
	type shape struct {
		kind string
		v    store.Values
	}
	for _, roi := range []struct {
		name, description string
		shapes            []shape
	}{
		{"glomerulus", "outline by hand, the same on every plane", []shape{
			{"Ellipse", store.Values{"x": 128.0, "y": 120.5, "radiusX": 60.25, "radiusY": 44.0, "textValue": "glomerulus", "strokeColor": yellow, "strokeWidth": pixel(2), "fillColor": rgba(255, 255, 0, 40)}},
		}},
		{"tubule wall", "", []shape{
			{"Polygon", store.Values{"points": "20,20 60,24 72,50 40,66 18,48", "theZ": 1, "theT": 0, "strokeColor": red, "strokeWidth": pixel(1.5), "strokeDashArray": "4 2"}},
			{"Polyline", store.Values{"points": "150,30 170,44 196,40 220,60", "theZ": 1, "theT": 0, "theC": 2, "strokeColor": blue, "strokeWidth": pixel(1), "markerEnd": "Arrow", "textValue": "brush border"}},
		}},
		{"", "", []shape{
			{"Rectangle", store.Values{"x": 30.5, "y": 150.0, "width": 64.0, "height": 40.0, "theZ": 2, "theT": 0, "theC": 0, "textValue": "crop <1>", "strokeColor": rgba(0, 255, 0, 255), "fillColor": rgba(0, 255, 0, 64), "locked": true}},
			{"Rectangle", store.Values{"x": 100.0, "y": 180.0, "width": 20.0, "height": 20.0, "theZ": 2, "theT": 0, "transform": [6]float64{0.866, 0.5, -0.5, 0.866, 12, -7.5}}},
		}},
		{"Zählung", "cells counted", []shape{
			{"Point", store.Values{"x": 80.0, "y": 81.0, "theZ": 2, "theT": 0, "textValue": "1", "strokeColor": yellow}},
			{"Point", store.Values{"x": 141.75, "y": 60.0, "theZ": 3, "theT": 0, "textValue": "2", "strokeColor": yellow}},
		}},
		{"scale", "", []shape{
			{"Line", store.Values{"x1": 10.0, "y1": 245.0, "x2": 71.5, "y2": 245.0, "strokeColor": rgba(255, 255, 255, 255), "strokeWidth": pixel(3), "markerStart": "Arrow", "markerEnd": "Arrow"}},
			{"Label", store.Values{"x": 12.0, "y": 240.0, "textValue": "20 µm", "fontSize": point(12), "fontFamily": "sans-serif", "fontStyle": "Bold", "strokeColor": rgba(255, 255, 255, 255)}},
		}},
		{"mask", "from a segmentation", []shape{
			{"Mask", store.Values{"x": 180.0, "y": 200.0, "width": 16.0, "height": 8.0, "theZ": 0, "theT": 0, "bytes": bits, "fillColor": rgba(255, 0, 255, 100)}},
		}},
	} {
		v := store.Values{"image": s.glomerulus}
		if roi.name != "" {
			v["name"] = roi.name
		}
		if roi.description != "" {
			v["description"] = roi.description
		}
		row, err := s.ada.create("Roi", v)
		if err != nil {
			return err
		}
		for _, sh := range roi.shapes {
			if t, ok := sh.v["transform"].([6]float64); ok {
				m, err := s.ada.create("AffineTransform", store.Values{"a00": t[0], "a10": t[1], "a01": t[2], "a11": t[3], "a02": t[4], "a12": t[5]})
				if err != nil {
					return err
				}
				sh.v["transform"] = m
			}
			sh.v["roi"] = row
			if _, err := s.ada.create(sh.kind, sh.v); err != nil {
				return fmt.Errorf("roi %q: %w", roi.name, err)
			}
		}
	}
	return nil
}
