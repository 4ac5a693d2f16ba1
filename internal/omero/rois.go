package omero

import (
	"context"
	"fmt"
	"sort"
	"sync"

	"omerods/internal/ice"
)

// ROI is a region of interest: shapes on an image.
type ROI struct {
	ID          int64
	Image       int64
	Name        string
	Description string
	Shapes      []Shape
	Meta
}

// ShapeKind is the class of a shape.
type ShapeKind string

// The kinds of shapes, with the fields of [Shape] that hold their geometry.
const (
	Rectangle  ShapeKind = "Rectangle" // X, Y, Width, Height
	Ellipse    ShapeKind = "Ellipse"   // X, Y, RadiusX, RadiusY
	PointShape ShapeKind = "Point"     // X, Y
	Line       ShapeKind = "Line"      // X1, Y1, X2, Y2, markers
	Polygon    ShapeKind = "Polygon"   // Points
	Polyline   ShapeKind = "Polyline"  // Points, markers
	Label      ShapeKind = "Label"     // X, Y
	Mask       ShapeKind = "Mask"      // X, Y, Width, Height, Bits
	PathShape  ShapeKind = "Path"      // D
)

// Shape is one figure of a ROI. Planes that are nil mean all of them.
type Shape struct {
	ID   int64
	Kind ShapeKind

	X, Y, Width, Height    float64
	RadiusX, RadiusY       float64
	X1, Y1, X2, Y2         float64
	Points                 string
	D                      string
	Bits                   []byte
	MarkerStart, MarkerEnd string
	Null                   []string // members among the numbers above that are not there

	TheZ, TheT, TheC *int

	Text        string
	Fill        *int32 // RGBA, red in the top byte
	FillRule    string
	Stroke      *int32
	StrokeDash  string
	StrokeWidth *Quantity
	FontSize    *Quantity
	FontFamily  string
	FontStyle   string
	Locked      *bool
	Transform   *Transform
}

// Transform maps x to A00*x + A01*y + A02, y to A10*x + A11*y + A12.
type Transform struct{ A00, A10, A01, A11, A02, A12 float64 }

// geometry is the list of the own members of each kind of shape, in the order
// in which they are asked for.
type geometry struct {
	numbers []string
	texts   []string
}

var geometries = map[ShapeKind]geometry{
	Rectangle:  {numbers: []string{"x", "y", "width", "height"}, texts: []string{"textValue"}},
	Ellipse:    {numbers: []string{"x", "y", "radiusX", "radiusY"}, texts: []string{"textValue"}},
	PointShape: {numbers: []string{"x", "y"}, texts: []string{"textValue"}},
	Line:       {numbers: []string{"x1", "y1", "x2", "y2"}, texts: []string{"markerStart", "markerEnd", "textValue"}},
	Polygon:    {texts: []string{"points", "textValue"}},
	Polyline:   {texts: []string{"points", "markerStart", "markerEnd", "textValue"}},
	Label:      {numbers: []string{"x", "y"}, texts: []string{"textValue"}},
	Mask:       {numbers: []string{"x", "y", "width", "height"}, texts: []string{"textValue"}},
	PathShape:  {texts: []string{"d", "textValue"}},
}

// number returns the field that a member of the model is.
func (s *Shape) number(member string) *float64 {
	switch member {
	case "x":
		return &s.X
	case "y":
		return &s.Y
	case "width":
		return &s.Width
	case "height":
		return &s.Height
	case "radiusX":
		return &s.RadiusX
	case "radiusY":
		return &s.RadiusY
	case "x1":
		return &s.X1
	case "y1":
		return &s.Y1
	case "x2":
		return &s.X2
	}
	return &s.Y2
}

func (s *Shape) text(member string) *string {
	switch member {
	case "points":
		return &s.Points
	case "d":
		return &s.D
	case "markerStart":
		return &s.MarkerStart
	case "markerEnd":
		return &s.MarkerEnd
	}
	return &s.Text
}

const shapeColumns = `select s.id, s.theZ, s.theT, s.theC, s.fillColor, s.fillRule, s.strokeColor, s.strokeDashArray, s.strokeWidth, ` +
	`s.fontSize, s.fontFamily, s.fontStyle, s.locked`

const shapeColumnCount = 13

// place says which shape is the next of a region.
type place struct{ roi, shape int64 }

// ROIs returns the regions of images with their shapes in order. The bits of
// masks are loaded too.
func (c *Client) ROIs(ctx context.Context, images []int64) ([]ROI, error) {
	return c.ROIsOf(ctx, These(images))
}

// ROIsOf is [Client.ROIs] of a selection of images.
func (c *Client) ROIsOf(ctx context.Context, images Selection) ([]ROI, error) {
	var rois, transforms []row
	var order []place
	var mu sync.Mutex
	shapes := make(map[int64]*Shape)
	jobs := []func(context.Context) error{
		func(ctx context.Context) (err error) {
			rois, err = c.rowsOf(ctx, `select r.id, r.image.id, r.name, r.description, `+meta("r")+
				` from Roi r where r.image.id in (:ids) order by r.image.id, r.id`, images, "Roi")
			return err
		},
		func(ctx context.Context) (err error) {
			order, err = mapRowsOf(ctx, c, `select r.id, s.id, index(s) from Roi r join r.shapes s where r.image.id in (:ids) `+
				`order by r.id, index(s)`, images, "Shape", func(r row) place { return place{roi: r.id(0), shape: r.id(1)} })
			return err
		},
		func(ctx context.Context) (err error) {
			transforms, err = c.rowsOf(ctx, `select s.id, t.a00, t.a10, t.a01, t.a11, t.a02, t.a12 from Shape s join s.transform t `+
				`where s.roi.image.id in (:ids) order by s.id`, images, "AffineTransform")
			return err
		},
	}
	for kind := range geometries {
		jobs = append(jobs, func(ctx context.Context) error {
			list, err := c.shapes(ctx, kind, images)
			mu.Lock()
			defer mu.Unlock()
			for _, s := range list {
				shapes[s.ID] = s
			}
			return err
		})
	}
	err := together(ctx, jobs...)
	if err == nil {
		err = c.loadMasks(ctx, shapes)
	}
	if err != nil {
		return nil, fmt.Errorf("regions: %w", err)
	}
	for _, r := range transforms {
		if s := shapes[r.id(0)]; s != nil {
			s.Transform = &Transform{A00: r.f64(1), A10: r.f64(2), A01: r.f64(3), A11: r.f64(4), A02: r.f64(5), A12: r.f64(6)}
		}
	}
	list := make([]ROI, len(rois))
	at := make(map[int64]*ROI, len(rois))
	for i, r := range rois {
		list[i] = ROI{ID: r.id(0), Image: r.id(1), Name: r.str(2), Description: r.str(3), Meta: r.meta(4)}
		at[list[i].ID] = &list[i]
	}
	count := make(map[int64]int, len(rois))
	for _, p := range order {
		count[p.roi]++
	}
	for _, p := range order {
		roi, s := at[p.roi], shapes[p.shape]
		if roi == nil || s == nil {
			continue
		}
		if roi.Shapes == nil {
			roi.Shapes = make([]Shape, 0, count[p.roi])
		}
		roi.Shapes = append(roi.Shapes, *s)
		delete(shapes, p.shape) // there may be very many
	}
	return list, nil
}

// ShapesOf returns the ids of the shapes of ROIs, in their order, by ROI.
func (c *Client) ShapesOf(ctx context.Context, rois []int64) (map[int64][]int64, error) {
	rows, err := c.rowsFor(ctx, `select r.id, s.id, index(s) from Roi r join r.shapes s where r.id in (:ids) order by r.id, index(s)`, unique(rois))
	if err != nil {
		return nil, fmt.Errorf("shapes: %w", err)
	}
	shapes := make(map[int64][]int64)
	for _, r := range rows {
		shapes[r.id(0)] = append(shapes[r.id(0)], r.id(1))
	}
	return shapes, nil
}

func (c *Client) shapes(ctx context.Context, kind ShapeKind, images Selection) ([]*Shape, error) {
	g := geometries[kind]
	query := shapeColumns
	for _, m := range append(append([]string{}, g.numbers...), g.texts...) {
		query += ", s." + m
	}
	n, err := c.countShapes(ctx, kind, images)
	if err != nil {
		return nil, err
	}
	return mapRowsCounted(ctx, c, query+` from `+string(kind)+` s where s.roi.image.id in (:ids) order by s.id`, images, n, func(r row) *Shape {
		s := &Shape{Kind: kind, ID: r.id(0), TheZ: r.numOrNil(1), TheT: r.numOrNil(2), TheC: r.numOrNil(3),
			Fill: r.color(4), FillRule: r.str(5), Stroke: r.color(6), StrokeDash: r.str(7), StrokeWidth: r.quantity(8),
			FontSize: r.quantity(9), FontFamily: r.str(10), FontStyle: r.str(11), Locked: r.boolOrNil(12)}
		at := shapeColumnCount
		for _, m := range g.numbers {
			*s.number(m) = r.f64(at)
			if r.at(at) == nil {
				s.Null = append(s.Null, m)
			}
			at++
		}
		for _, m := range g.texts {
			*s.text(m) = r.str(at)
			at++
		}
		return s
	})
}

// countShapes tells how many shapes of a kind a selection of images has, as far
// as that matters to divide it: an extent counts all kinds together.
func (c *Client) countShapes(ctx context.Context, kind ShapeKind, images Selection) (int64, error) {
	if n, ok := images.of.count(string(KindShape)); !ok || n <= batchRows {
		return n, nil
	}
	r, _, err := c.first(ctx, `select count(s.id) from `+string(kind)+` s where s.roi.image.id in (`+images.all+`)`, params{"id": images.of.id})
	return r.id(0), err
}

// maskBytes is how many bytes of masks one query may bring; a message has at
// most 64 MiB.
const maskBytes = 8 << 20

// loadMasks reads the bits of masks, which a projection cannot return.
func (c *Client) loadMasks(ctx context.Context, shapes map[int64]*Shape) error {
	var masks []*Shape
	for _, s := range shapes {
		if s.Kind == Mask {
			masks = append(masks, s)
		}
	}
	sort.Slice(masks, func(i, j int) bool { return masks[i].ID < masks[j].ID })
	var ids []int64
	var size float64
	for i, m := range masks {
		ids = append(ids, m.ID)
		size += max(m.Width, 0) * max(m.Height, 0) / 8
		if i+1 < len(masks) && size < maskBytes && len(ids) < batchIDs {
			continue
		}
		if err := c.loadMaskBits(ctx, shapes, ids); err != nil {
			return err
		}
		ids, size = nil, 0
	}
	return nil
}

func (c *Client) loadMaskBits(ctx context.Context, shapes map[int64]*Shape, ids []int64) error {
	// Not more than one batch, so each is not called at the same time.
	err := c.eachLoaded(ctx, `select m from Mask m where m.id in (:ids)`, ids, func(id int64, o *ice.Object) error {
		if s := shapes[id]; s != nil && o.Has("bytes") {
			s.Bits = get[[]byte](o, "bytes")
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("masks: %w", err)
	}
	return nil
}
