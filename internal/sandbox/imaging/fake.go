package imaging

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
	"time"
)

// isFake tells whether a name is one of Bio-Formats' made-up images, whose
// name, or a .ini file of that name, is all there is.
func isFake(name string) bool {
	return strings.HasSuffix(name, ".fake") || strings.HasSuffix(name, ".fake.ini")
}

// fakeOptions has the options of a made-up image by key.
type fakeOptions map[string]string

// count returns a whole number not below 1.
func (o fakeOptions) count(key string, def int) (int, error) {
	text, ok := o[key]
	if !ok {
		return def, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > math.MaxInt32 {
		return 0, damaged("option %s=%s", key, text)
	}
	return n, nil
}

// length returns a physical length such as 0.25 or "250 nm".
func (o fakeOptions) length(key string) Length {
	text := strings.TrimSpace(o[key])
	end := strings.LastIndexAny(text, "0123456789.") + 1
	return ParseLength(text[:end], strings.TrimSpace(text[end:]), "MICROMETER")
}

// readFake reads a made-up image. The file must be there, its content does not
// matter.
func readFake(fsys fs.FS, main string) (*Fileset, error) {
	f, _, err := open(fsys, main)
	if err != nil {
		return nil, err
	}
	f.Close()
	opts := fakeOptions{}
	files := []string{main}
	base := strings.TrimSuffix(path.Base(main), ".ini")
	ini := path.Join(path.Dir(main), base+".ini")
	if text, err := readWhole(fsys, ini, 1<<20); err == nil {
		if opts.ini(text); ini != main {
			files = append(files, ini)
		}
	}
	tokens := strings.Split(strings.TrimSuffix(base, ".fake"), "&")
	for _, token := range tokens[1:] {
		if key, value, ok := strings.Cut(token, "="); ok {
			opts[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	out, err := opts.fileset(tokens[0])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", main, err)
	}
	out.Files = files
	return out, nil
}

// ini adds the options of the global part of an .ini file.
func (o fakeOptions) ini(text []byte) {
	for sc := bufio.NewScanner(bytes.NewReader(text)); sc.Scan(); {
		line := strings.TrimSpace(sc.Text())
		if strings.HasPrefix(line, "[") && !strings.EqualFold(line, "[GlobalMetadata]") {
			return
		}
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			o[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
}

// fileset makes the images that the options describe.
func (o fakeOptions) fileset(name string) (*Fileset, error) {
	var firstErr error
	get := func(key string, def int) int {
		n, err := o.count(key, def)
		if err != nil && firstErr == nil {
			firstErr = err
		}
		return n
	}
	s := Series{
		SizeX: get("sizeX", 512), SizeY: get("sizeY", 512), SizeZ: get("sizeZ", 1), SizeC: get("sizeC", 1), SizeT: get("sizeT", 1),
		Type: PixelType(o["pixelType"]), SignificantBits: get("bitsPerPixel", 0), DimensionOrder: o["dimOrder"],
		PhysicalSizeX: o.length("physicalSizeX"), PhysicalSizeY: o.length("physicalSizeY"), PhysicalSizeZ: o.length("physicalSizeZ"),
		RGB: get("rgb", 1) > 1,
	}
	s.Acquired, _ = time.Parse("2006-01-02_15-04-05", o["acquisitionDate"])
	if s.Type == "" {
		s.Type = Uint8
	}
	if s.DimensionOrder == "" {
		s.DimensionOrder = "XYZCT"
	}
	n := get("series", 1)
	plates, rows, cols := get("plates", 0), max(get("plateRows", 1), 1), max(get("plateCols", 1), 1)
	fields, runs := max(get("fields", 1), 1), get("plateAcqs", 0)
	if firstErr != nil {
		return nil, firstErr
	}
	out := &Fileset{Reader: "loci.formats.in.FakeReader", Format: "Fake"}
	if plates > 0 || o["plateRows"] != "" || o["plateCols"] != "" {
		plates = max(plates, 1)
		if plates > 100 || rows > 1000 || cols > 1000 || fields > 1000 || runs > 100 {
			return nil, damaged("a plate that large")
		}
		n = plates * rows * cols * fields * max(runs, 1)
	}
	if n < 1 || n > maxSeries {
		return nil, damaged("%d series", n)
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	for i := range n {
		si := s
		si.Channels = append([]Channel(nil), s.Channels...)
		if si.Name = name; i > 0 {
			si.Name = fmt.Sprintf("%s %d", name, i+1)
		}
		out.Series = append(out.Series, si)
	}
	next := 0
	for i := range plates {
		out.Plates = append(out.Plates, fakePlate(i, rows, cols, fields, runs, &next))
	}
	out.planes = &fakePlanes{out.Series}
	return out, nil
}

// fakePlate makes a full plate; its images are numbered well by well, run by
// run, field by field.
func fakePlate(number, rows, cols, fields, runs int, next *int) Plate {
	p := Plate{Name: fmt.Sprintf("Plate Name %d", number), Rows: rows, Columns: cols, RowNaming: "letter", ColNaming: "number"}
	for r := range runs {
		p.Runs = append(p.Runs, Run{Name: fmt.Sprintf("PlateAcquisition Name %d", r)})
	}
	for row := range rows {
		for col := range cols {
			w := Well{Row: row, Column: col}
			for r := range max(runs, 1) {
				for range fields {
					f := Field{Series: *next, Run: r}
					if runs == 0 {
						f.Run = -1
					}
					w.Fields = append(w.Fields, f)
					*next++
				}
			}
			p.Wells = append(p.Wells, w)
		}
	}
	return p
}

// fakePlanes draws made-up planes.
type fakePlanes struct{ series []Series }

// boxPixels is the width of the squares that tell a plane's place by their
// grey value.
const boxPixels = 16

// plane draws a diagonal gradient, and at its top left one square for each of
// series, z, c and t.
func (f *fakePlanes) plane(series, z, c, t int) ([]byte, error) {
	s := &f.series[series]
	width := s.Type.Bytes()
	out := make([]byte, s.PlaneBytes())
	index := [4]int{series, z, c, t}
	shift := 7*z + 31*c + 13*t + 17*series
	for y := range s.SizeY {
		row := out[y*s.SizeX*width:]
		for x := range s.SizeX {
			v := byte(x + y + shift)
			if y < boxPixels && x < boxPixels*len(index) {
				v = byte(10 + 10*index[x/boxPixels])
			}
			put(row[x*width:], s.Type, v)
		}
	}
	return out, nil
}

// put writes a grey value of 0 to 255 as a sample, spread over whole numbers of
// 16 bits and more.
func put(b []byte, t PixelType, v byte) {
	switch t {
	case Uint8:
		b[0] = v
	case Int8:
		b[0] = v - 128
	case Uint16:
		b[0], b[1] = v, v
	case Int16:
		b[0], b[1] = v-128, v
	case Uint32:
		b[0], b[1], b[2], b[3] = v, v, v, v
	case Int32:
		b[0], b[1], b[2], b[3] = v-128, v, v, v
	case Float:
		binary.BigEndian.PutUint32(b, math.Float32bits(float32(v)))
	case Double:
		binary.BigEndian.PutUint64(b, math.Float64bits(float64(v)))
	}
}
