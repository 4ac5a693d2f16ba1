package omeroview

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"omerods/internal/omero"
)

// omeXML describes the image inside its file, as readers of OME-TIFF expect.
// The file is named nowhere in it, and has no UUID, so that it may be renamed.
// All else that OMERO knows of the image is in the transfer.xml beside it.
func omeXML(im omero.Image, p *omero.Pixels) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>`)
	b.WriteString(`<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" ` +
		`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.openmicroscopy.org/Schemas/OME/2016-06 ` +
		`http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd">`)
	fmt.Fprintf(&b, `<Image ID="Image:0" Name="%s">`, escape(im.Name))
	if year := im.Acquired.Year(); !im.Acquired.IsZero() && year > 0 && year < 10000 {
		fmt.Fprintf(&b, `<AcquisitionDate>%s</AcquisitionDate>`, im.Acquired.UTC().Format(time.RFC3339Nano))
	}
	if im.Description != "" {
		fmt.Fprintf(&b, `<Description>%s</Description>`, escape(im.Description))
	}
	fmt.Fprintf(&b, `<Pixels ID="Pixels:0" DimensionOrder="%s" Type="%s" BigEndian="true" Interleaved="false"`, planeOrder(p), p.Type)
	if bits := p.SignificantBits; bits != nil && *bits > 0 && *bits <= 8*sampleTypes[p.Type].bytes {
		fmt.Fprintf(&b, ` SignificantBits="%d"`, *bits)
	}
	fmt.Fprintf(&b, ` SizeX="%d" SizeY="%d" SizeZ="%d" SizeC="%d" SizeT="%d"`, p.SizeX, p.SizeY, p.SizeZ, p.SizeC, p.SizeT)
	positive(&b, "PhysicalSizeX", p.PhysicalX)
	positive(&b, "PhysicalSizeY", p.PhysicalY)
	positive(&b, "PhysicalSizeZ", p.PhysicalZ)
	quantityXML(&b, "TimeIncrement", p.TimeIncrement)
	b.WriteString(">")
	for i := range p.SizeC {
		// The samples of a colour picture too are planes of their own.
		fmt.Fprintf(&b, `<Channel ID="Channel:0:%d" SamplesPerPixel="1"`, i)
		if i < len(p.Channels) {
			channelXML(&b, &p.Channels[i])
		}
		b.WriteString("/>")
	}
	fmt.Fprintf(&b, `<TiffData IFD="0" PlaneCount="%d"/></Pixels></Image></OME>`, int64(p.SizeZ)*int64(p.SizeC)*int64(p.SizeT))
	return b.String()
}

func channelXML(b *strings.Builder, ch *omero.Channel) {
	if ch.Name != "" {
		fmt.Fprintf(b, ` Name="%s"`, escape(ch.Name))
	}
	if ch.Fluor != "" {
		fmt.Fprintf(b, ` Fluor="%s"`, escape(ch.Fluor))
	}
	if color := ch.Color(); color != nil {
		fmt.Fprintf(b, ` Color="%d"`, *color)
	}
	positive(b, "ExcitationWavelength", ch.Excitation)
	positive(b, "EmissionWavelength", ch.Emission)
	quantityXML(b, "PinholeSize", ch.Pinhole)
	if f := ch.NDFilter; f != nil && *f >= 0 && *f <= 1 {
		fmt.Fprintf(b, ` NDFilter="%s"`, strconv.FormatFloat(*f, 'g', -1, 64))
	}
	if n := ch.PockelCell; n != nil {
		fmt.Fprintf(b, ` PockelCellSetting="%d"`, *n)
	}
}

// positive writes a quantity that OME-XML wants above zero.
func positive(b *strings.Builder, name string, q *omero.Quantity) {
	if q != nil && q.Value > 0 {
		quantityXML(b, name, q)
	}
}

// quantityXML writes a quantity with its unit if it is a number.
func quantityXML(b *strings.Builder, name string, q *omero.Quantity) {
	if q != nil && !math.IsNaN(q.Value) && !math.IsInf(q.Value, 0) {
		fmt.Fprintf(b, ` %[1]s="%[2]s" %[1]sUnit="%[3]s"`, name, strconv.FormatFloat(q.Value, 'g', -1, 64), escape(q.Unit))
	}
}

// planeOrder is the order in which the planes are stored.
func planeOrder(p *omero.Pixels) string {
	switch p.Order {
	case "XYZCT", "XYZTC", "XYCTZ", "XYCZT", "XYTCZ", "XYTZC":
		return p.Order
	}
	return "XYZCT"
}

// escape makes text fit for an attribute; what XML cannot hold is replaced.
func escape(s string) string {
	var b bytes.Buffer
	// Writing into memory does not fail.
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
