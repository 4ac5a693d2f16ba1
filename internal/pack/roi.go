package pack

// ROI is a region of interest: shapes on an image. Image.ROIs says on which.
type ROI struct {
	ID          ID
	Name        string
	Description string
	Shapes      []Shape
	Details     Details
}

// ShapeKind says what a shape is and which fields of its geometry count.
type ShapeKind string

// The kinds of shapes.
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
	ID   ID
	Kind ShapeKind

	X, Y, Width, Height    float64
	RadiusX, RadiusY       float64
	X1, Y1, X2, Y2         float64
	Points                 string // "x,y x,y …"
	D                      string // of an SVG path
	Bits                   []byte // of a mask, one bit for each pixel
	MarkerStart, MarkerEnd string
	// Null names the numbers above that are not there, which are zero then.
	Null []string

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
type Transform struct {
	A00, A10, A01, A11, A02, A12 float64
}
