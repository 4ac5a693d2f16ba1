package omeroview

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"math"
	"strings"
	"testing"
	"time"

	"omerods/internal/omero"
)

// readIFDs walks the directories of a big-endian TIFF and returns the fields
// of each.
func readIFDs(t *testing.T, head []byte) []map[uint16]uint64 {
	t.Helper()
	be := binary.BigEndian
	big := be.Uint16(head[2:]) == 43
	at := uint64(be.Uint32(head[4:]))
	if big {
		at = be.Uint64(head[8:])
	}
	var all []map[uint16]uint64
	for at != 0 {
		fields := make(map[uint16]uint64)
		var n uint64
		if big {
			n, at = be.Uint64(head[at:]), at+8
		} else {
			n, at = uint64(be.Uint16(head[at:])), at+2
		}
		last := uint16(0)
		for range n {
			tag, kind := be.Uint16(head[at:]), be.Uint16(head[at+2:])
			if tag <= last {
				t.Fatalf("tag %d after %d", tag, last)
			}
			last = tag
			value := at + 8
			if big {
				value = at + 12
			}
			switch {
			case kind == tiffShort:
				fields[tag] = uint64(be.Uint16(head[value:]))
			case kind == tiffLong || !big:
				fields[tag] = uint64(be.Uint32(head[value:]))
			default:
				fields[tag] = be.Uint64(head[value:])
			}
			if at += 12; big {
				at += 8
			}
		}
		if big {
			at = be.Uint64(head[at:])
		} else {
			at = uint64(be.Uint32(head[at:]))
		}
		all = append(all, fields)
	}
	return all
}

// headOf reads the head of a layout in pieces of several sizes, which must be
// the same each time.
func headOf(t *testing.T, l *tiffImage) []byte {
	t.Helper()
	var all []byte
	for _, size := range []int{1 << 20, 997} {
		var head []byte
		p := make([]byte, size)
		for int64(len(head)) < l.head {
			n := l.readHead(p, int64(len(head)))
			if n == 0 {
				t.Fatalf("nothing at %d of %d", len(head), l.head)
			}
			head = append(head, p[:n]...)
		}
		if int64(len(head)) != l.head || all != nil && !bytes.Equal(head, all) {
			t.Fatalf("head has %d bytes, want %d, or differs in pieces of %d", len(head), l.head, size)
		}
		all = head
	}
	return all
}

func TestTIFFLayout(t *testing.T) {
	for _, tt := range []struct {
		name string
		p    omero.Pixels
		big  bool
	}{
		{"classic", omero.Pixels{Type: "uint16", Order: "XYCZT", SizeX: 7, SizeY: 5, SizeZ: 3, SizeC: 2, SizeT: 4}, false},
		{"one plane", omero.Pixels{Type: "float", Order: "?", SizeX: 1, SizeY: 1, SizeZ: 1, SizeC: 1, SizeT: 1}, false},
		{"big", omero.Pixels{Type: "uint8", Order: "XYZCT", SizeX: 1 << 16, SizeY: 1 << 15, SizeZ: 1, SizeC: 3, SizeT: 1}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			layout := newTIFF(omero.Image{Name: "a <b> & \x01"}, &tt.p)
			head := headOf(t, layout)
			if layout.big != tt.big {
				t.Errorf("BigTIFF: got %v, want %v", layout.big, tt.big)
			}
			ifds := readIFDs(t, head)
			planes := tt.p.SizeZ * tt.p.SizeC * tt.p.SizeT
			if len(ifds) != planes {
				t.Fatalf("got %d directories, want %d", len(ifds), planes)
			}
			for i, f := range ifds {
				if want := uint64(layout.head + int64(i)*layout.plane); layout.strips == 1 && (f[tagOffsets] != want || f[tagByteCounts] != uint64(layout.plane)) {
					t.Errorf("plane %d: at %d, %d bytes; want %d, %d", i, f[tagOffsets], f[tagByteCounts], want, layout.plane)
				}
				if f[tagWidth] != uint64(tt.p.SizeX) || f[tagHeight] != uint64(tt.p.SizeY) {
					t.Errorf("plane %d: %v", i, f)
				}
			}
			at := ifds[0][tagDescription]
			var doc struct {
				Image struct {
					Name string `xml:"Name,attr"`
				}
			}
			if err := xml.Unmarshal(layout.text[:len(layout.text)-1], &doc); err != nil || doc.Image.Name != "a <b> & \ufffd" {
				t.Errorf("description: %q, %v", doc.Image.Name, err)
			}
			if string(head[at:at+5]) != "<?xml" {
				t.Errorf("no description at %d", at)
			}
		})
	}
}

func TestPlanesOfEachOrder(t *testing.T) {
	p := omero.Pixels{Type: "uint8", Order: "XYCZT", SizeX: 1, SizeY: 1, SizeZ: 3, SizeC: 2, SizeT: 4}
	layout := newTIFF(omero.Image{}, &p)
	seen := make(map[[3]int]bool)
	for n := range layout.planes {
		z, c, ti := layout.coordinates(n)
		seen[[3]int{z, c, ti}] = true
		if want := int64(c + 2*(z+3*ti)); want != n {
			t.Errorf("plane %d: got z%d c%d t%d, which is plane %d", n, z, c, ti, want)
		}
	}
	if len(seen) != 24 {
		t.Errorf("got %d planes, want 24", len(seen))
	}
}

// What OMERO says of an image stands in its OME-XML, each quantity with its
// unit.
func TestTIFFDescribesItself(t *testing.T) {
	text := omeXML(omero.Image{Name: "n", Description: "a & b", Acquired: time.UnixMilli(1700000000123)}, &omero.Pixels{
		Type: "uint16", Order: "XYCZT", SizeX: 2, SizeY: 2, SizeZ: 1, SizeC: 2, SizeT: 1, SignificantBits: new(12),
		PhysicalX: &omero.Quantity{Value: 0.25, Unit: "µm"}, PhysicalY: &omero.Quantity{Value: -1, Unit: "µm"}, TimeIncrement: &omero.Quantity{Value: 0, Unit: "min"},
		Channels: []omero.Channel{{Name: "one", Fluor: "f", Emission: &omero.Quantity{Value: 510, Unit: "nm"}}, {Pinhole: &omero.Quantity{Value: math.Inf(1), Unit: "µm"}}},
	})
	for _, want := range []string{`PhysicalSizeX="0.25" PhysicalSizeXUnit="µm"`, `TimeIncrement="0" TimeIncrementUnit="min"`,
		`EmissionWavelength="510" EmissionWavelengthUnit="nm"`, `SignificantBits="12"`, `>2023-11-14T22:13:20.123Z<`, `>a &amp; b<`, `Name="one" Fluor="f"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in %s", want, text)
		}
	}
	for _, not := range []string{"PhysicalSizeY", "PinholeSize"} {
		if strings.Contains(text, not) {
			t.Errorf("%s is in %s", not, text)
		}
	}
}
