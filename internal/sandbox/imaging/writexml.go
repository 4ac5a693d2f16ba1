package imaging

import (
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// omeWriter writes the OME-XML of a set of files.
type omeWriter struct {
	pictures []Picture
	parts    []Part
	held     [][]planeAt // per part, in the order of its pages
}

const omeHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
	`<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"` +
	` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"` +
	` xsi:schemaLocation="http://www.openmicroscopy.org/Schemas/OME/2016-06` +
	` http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd"`

// attr writes an attribute. Everything beyond ASCII becomes a character
// reference, because TIFF keeps the document in an ASCII field.
func attr(b *strings.Builder, name, value string) {
	fmt.Fprintf(b, ` %s="%s"`, name, escape(value))
}

// escape makes text fit for OME-XML within ASCII.
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '<' || r == '>' || r == '&' || r == '"' || r == '\'' || r == '\n' || r == '\t' || r == '\r' || r > 126:
			if r == utf8.RuneError {
				r = '?'
			}
			fmt.Fprintf(&b, "&#%d;", r)
		case r >= 32:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// binaryOnly is the document of a file whose metadata are elsewhere.
func (w *omeWriter) binaryOnly(name, companion string) string {
	var b strings.Builder
	b.WriteString(omeHead)
	attr(&b, "UUID", fileUUID(name))
	b.WriteString("><BinaryOnly")
	attr(&b, "MetadataFile", path.Base(companion))
	attr(&b, "UUID", fileUUID(companion))
	b.WriteString("/></OME>\n")
	return b.String()
}

// full is the whole document as it stands in the file of that name.
func (w *omeWriter) full(name string) string {
	var b strings.Builder
	b.WriteString(omeHead)
	attr(&b, "Creator", "omerods")
	attr(&b, "UUID", fileUUID(name))
	b.WriteString(">")
	for i := range w.pictures {
		w.image(&b, i)
	}
	b.WriteString("</OME>\n")
	return b.String()
}

// OMEXML writes a document of pictures without their planes.
func OMEXML(pictures []Picture) []byte {
	w := omeWriter{pictures: pictures}
	return []byte(w.full("metadata.ome.xml"))
}

// image writes an Image element; its children stand in the schema's order.
func (w *omeWriter) image(b *strings.Builder, i int) {
	p := &w.pictures[i]
	fmt.Fprintf(b, "\n<Image ID=\"Image:%d\"", i)
	attr(b, "Name", p.Name)
	b.WriteString(">")
	if !p.Acquired.IsZero() {
		fmt.Fprintf(b, "<AcquisitionDate>%s</AcquisitionDate>", p.Acquired.UTC().Format(time.RFC3339))
	}
	if p.Description != "" {
		fmt.Fprintf(b, "<Description>%s</Description>", escape(p.Description))
	}
	if p.StageLabel != "" {
		b.WriteString("<StageLabel")
		attr(b, "Name", p.StageLabel)
		b.WriteString("/>")
	}
	fmt.Fprintf(b, "\n<Pixels ID=\"Pixels:%d\" DimensionOrder=\"XYZCT\" Type=\"%s\" SignificantBits=\"%d\" BigEndian=\"true\""+
		" SizeX=\"%d\" SizeY=\"%d\" SizeZ=\"%d\" SizeC=\"%d\" SizeT=\"%d\"",
		i, p.Type, p.SignificantBits, p.SizeX, p.SizeY, p.SizeZ, p.SizeC, p.SizeT)
	lengthAttr(b, "PhysicalSizeX", p.PhysicalSizeX)
	lengthAttr(b, "PhysicalSizeY", p.PhysicalSizeY)
	lengthAttr(b, "PhysicalSizeZ", p.PhysicalSizeZ)
	b.WriteString(">")
	for c, ch := range p.Channels {
		fmt.Fprintf(b, "\n<Channel ID=\"Channel:%d:%d\" SamplesPerPixel=\"1\"", i, c)
		if ch.Name != "" {
			attr(b, "Name", ch.Name)
		}
		if ch.Fluor != "" {
			attr(b, "Fluor", ch.Fluor)
		}
		if k := ch.Color; k != nil {
			rgba := uint32(k.R)<<24 | uint32(k.G)<<16 | uint32(k.B)<<8 | uint32(k.A)
			attr(b, "Color", strconv.Itoa(int(int32(rgba))))
		}
		lengthAttr(b, "EmissionWavelength", ch.Emission)
		lengthAttr(b, "ExcitationWavelength", ch.Excitation)
		b.WriteString("/>")
	}
	for k, planes := range w.held {
		w.tiffData(b, i, k, planes)
	}
	if w.held == nil {
		b.WriteString("<MetadataOnly/>")
	}
	b.WriteString("\n</Pixels></Image>")
}

// tiffData names the page of each plane of image i that part k holds.
func (w *omeWriter) tiffData(b *strings.Builder, i, k int, planes []planeAt) {
	for ifd, at := range planes {
		if at.picture != i {
			continue
		}
		fmt.Fprintf(b, "\n<TiffData FirstZ=\"%d\" FirstC=\"%d\" FirstT=\"%d\" IFD=\"%d\" PlaneCount=\"1\"><UUID", at.z, at.c, at.t, ifd)
		attr(b, "FileName", w.parts[k].Name)
		fmt.Fprintf(b, ">%s</UUID></TiffData>", fileUUID(w.parts[k].Name))
	}
}

// lengthAttr writes a length with its unit when it is known.
func lengthAttr(b *strings.Builder, name string, l Length) {
	if symbol := l.Symbol(); symbol != "" {
		attr(b, name, strconv.FormatFloat(l.Value, 'g', -1, 64))
		attr(b, name+"Unit", symbol)
	}
}
