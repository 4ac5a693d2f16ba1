// Package imaging understands microscopy files the way an image server does:
// from a main file and its neighbours it finds the images, their dimensions,
// channels and plates, and the pixels. It knows PNG, JPEG, TIFF, OME-TIFF (one
// file, several, or with a companion.ome) and Bio-Formats' ".fake" names, and
// it writes OME-TIFF, TIFF and PNG.
//
// Nothing in it keeps a file open: each call opens what it needs through the
// given fs.FS, whose files must implement io.ReaderAt.
package imaging

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"time"
)

var (
	// ErrUnknownFormat is the error for a main file that no reader knows.
	ErrUnknownFormat = errors.New("unknown file format")
	// ErrDamaged is the error for a file of a known format whose content is
	// truncated or contradicts itself.
	ErrDamaged = errors.New("damaged file")
	// ErrMissing is the error for a set of files of which a member is absent.
	ErrMissing = errors.New("missing file")
)

const (
	// maxPlaneBytes bounds what one plane may take in memory.
	maxPlaneBytes = 1 << 30
	// maxSeries bounds the images of one fileset.
	maxSeries = 1 << 16
	// maxDocumentBytes bounds an OME-XML document.
	maxDocumentBytes = 64 << 20
)

// PixelType is the type of a sample by its OME name.
type PixelType string

// The pixel types of the OME data model that have a plain binary form.
const (
	Int8   PixelType = "int8"
	Uint8  PixelType = "uint8"
	Int16  PixelType = "int16"
	Uint16 PixelType = "uint16"
	Int32  PixelType = "int32"
	Uint32 PixelType = "uint32"
	Float  PixelType = "float"
	Double PixelType = "double"
)

// Bytes returns the size of a sample in bytes, 0 for an unknown type.
func (p PixelType) Bytes() int {
	switch p {
	case Int8, Uint8:
		return 1
	case Int16, Uint16:
		return 2
	case Int32, Uint32, Float:
		return 4
	case Double:
		return 8
	}
	return 0
}

// Color is a channel's colour.
type Color struct{ R, G, B, A uint8 }

// Length is a physical length. The unit is the enumerator's name in the OME
// model ("MICROMETER"); an empty unit means that nothing is known.
type Length struct {
	Value float64
	Unit  string
}

// Channel describes one channel of a series.
type Channel struct {
	Name       string
	Fluor      string
	Color      *Color // nil when the file names none
	Emission   Length
	Excitation Length

	More                       *Element // further attributes, as OME-XML spells them; nil for none
	Detector, Light, LightPath *Element // DetectorSettings, LightSourceSettings, LightPath
	FilterSet                  string   // its id
	Annotations                []string // ids
}

// Series is one image of a fileset.
type Series struct {
	Name            string
	Description     string
	SizeX, SizeY    int
	SizeZ           int
	SizeC           int // all channels, the samples of RGB counted singly
	SizeT           int
	Type            PixelType
	SignificantBits int
	DimensionOrder  string // such as XYZCT
	RGB             bool
	Channels        []Channel // SizeC of them
	PhysicalSizeX   Length
	PhysicalSizeY   Length
	PhysicalSizeZ   Length
	Acquired        time.Time // zero when unknown
	StageLabel      string
	Taking          Taking
	ROIs            []ROI
	Annotations     []string // ids
}

// PlaneBytes returns the size of one plane in bytes.
func (s *Series) PlaneBytes() int64 {
	return int64(s.SizeX) * int64(s.SizeY) * int64(s.Type.Bytes())
}

// ROI is a region that the file itself brings along.
type ROI struct {
	Name, Description string
	Shapes            []Shape
	Annotations       []string // ids
}

// Shape is a shape of a ROI: its kind ("Rectangle"), the attributes as OME-XML
// spells them, and what has an element of its own.
type Shape struct {
	Kind      string
	Attrs     map[string]string
	Transform *[6]float64 // A00 A10 A01 A11 A02 A12
	Bytes     []byte      // a mask's bits

	Annotations []string // ids
}

// Plate describes a plate that the images of the fileset form.
type Plate struct {
	Name, Description    string
	Rows, Columns        int
	RowNaming, ColNaming string
	Runs                 []Run
	Wells                []Well
}

// Run is one acquisition of a plate.
type Run struct {
	Name       string
	Start, End time.Time
}

// Well is a well of a plate, with its fields in order.
type Well struct {
	Row, Column int // from 0
	Type        string
	Fields      []Field
}

// Field is one field of view of a well.
type Field struct {
	Series int
	Run    int // index into the plate's runs, -1 for none
}

// Fileset is what a main file and its neighbours hold.
type Fileset struct {
	Reader string   // Bio-Formats' class for it, such as loci.formats.in.OMETiffReader
	Format string   // its short name, such as OMETiff
	Files  []string // all files that belong to it, the main file first
	Series []Series
	Plates []Plate
	// Instruments and Experiments are all of the files, Annotations those that
	// anything may refer to, by id.
	Instruments []Element
	Experiments []Element
	Annotations map[string]Annotation
	// Metadata are what the reader tells of the files beyond the model, by the
	// names that Bio-Formats gives them; nil for none.
	Metadata map[string]string

	planes planeSource
}

// planeSource gives the samples of one plane, big-endian, row after row. The
// indices have been checked.
type planeSource interface {
	plane(series, z, c, t int) ([]byte, error)
}

// planeFunc is a planeSource.
type planeFunc func(series, z, c, t int) ([]byte, error)

func (f planeFunc) plane(series, z, c, t int) ([]byte, error) { return f(series, z, c, t) }

// NewFileset makes a fileset of series that lie in no file; plane gives their
// samples as Fileset.Plane does.
func NewFileset(series []Series, plane func(series, z, c, t int) ([]byte, error)) *Fileset {
	return &Fileset{Series: series, planes: planeFunc(plane)}
}

// Plane returns the samples of one plane: big-endian, rows from the top, no
// padding. It may be called by many goroutines at once.
func (f *Fileset) Plane(series, z, c, t int) ([]byte, error) {
	if series < 0 || series >= len(f.Series) {
		return nil, fmt.Errorf("series %d of %d", series, len(f.Series))
	}
	s := &f.Series[series]
	if z < 0 || z >= s.SizeZ || c < 0 || c >= s.SizeC || t < 0 || t >= s.SizeT {
		return nil, fmt.Errorf("plane z=%d c=%d t=%d outside %dx%dx%d", z, c, t, s.SizeZ, s.SizeC, s.SizeT)
	}
	if s.PlaneBytes() > maxPlaneBytes {
		return nil, fmt.Errorf("a plane of %d bytes is too large", s.PlaneBytes())
	}
	return f.planes.plane(series, z, c, t)
}

// Read finds out what the file main of fsys holds, together with the files it
// refers to. The errors wrap ErrUnknownFormat, ErrDamaged or ErrMissing.
func Read(fsys fs.FS, main string) (*Fileset, error) {
	main = path.Clean(main)
	if isFake(main) {
		return readFake(fsys, main)
	}
	f, size, err := open(fsys, main)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read %s: %w", main, err)
	}
	head = head[:n]
	switch {
	case isTIFF(head):
		return readTIFFSet(fsys, main, f, size)
	case isCompanion(main, head):
		return readCompanion(fsys, main)
	case isPNG(head), isJPEG(head):
		return readRaster(fsys, main, head)
	}
	return nil, fmt.Errorf("%s: %w", main, ErrUnknownFormat)
}

// file is an open file that can be read at any place.
type file interface {
	io.ReaderAt
	io.Closer
}

// open opens a member of a fileset and tells its size.
func open(fsys fs.FS, name string) (file, int64, error) {
	f, err := fsys.Open(path.Clean(name))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, 0, fmt.Errorf("%s: %w", name, ErrMissing)
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", name, ErrUnknownFormat)
	}
	r, ok := f.(file)
	if err == nil && !ok {
		err = fmt.Errorf("%s: not readable at an offset", name)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return r, info.Size(), nil
}

// readWhole returns the content of a document that must be below the limit.
func readWhole(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, size, err := open(fsys, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > limit {
		return nil, fmt.Errorf("%s: %d bytes are too many", name, size)
	}
	data, err := io.ReadAll(io.NewSectionReader(f, 0, size))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return data, nil
}

// damaged makes an error of class ErrDamaged.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// Check tells whether a series is possible at all, and fills what a file may
// leave open.
func (s *Series) Check() error {
	for _, n := range []int{s.SizeX, s.SizeY, s.SizeZ, s.SizeC, s.SizeT} {
		if n < 1 || n > math.MaxInt32 {
			return damaged("an image of %dx%d with z=%d c=%d t=%d", s.SizeX, s.SizeY, s.SizeZ, s.SizeC, s.SizeT)
		}
	}
	if int64(s.SizeX)*int64(s.SizeY) > 1<<44 {
		return damaged("an image of %dx%d", s.SizeX, s.SizeY)
	}
	if s.Type.Bytes() == 0 {
		return damaged("pixel type %q", s.Type)
	}
	if s.SizeC > 1<<14 || int64(s.SizeZ)*int64(s.SizeC) > 1<<31 || int64(s.SizeZ)*int64(s.SizeC)*int64(s.SizeT) > 1<<31 {
		return damaged("too many planes")
	}
	if s.SignificantBits < 1 || s.SignificantBits > 8*s.Type.Bytes() {
		s.SignificantBits = 8 * s.Type.Bytes()
	}
	for len(s.Channels) < s.SizeC {
		s.Channels = append(s.Channels, Channel{})
	}
	s.Channels = s.Channels[:s.SizeC]
	return nil
}
