package imaging

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"io"
	"strings"
	"time"
)

// omeDoc is the part of an OME-XML document that is read. Namespaces are not
// looked at, so that documents of older schemas pass.
type omeDoc struct {
	XMLName    xml.Name   `xml:"OME"`
	UUID       string     `xml:"UUID,attr"`
	BinaryOnly *omeBinary `xml:"BinaryOnly"`
	Images     []omeImage `xml:"Image"`
	Plates     []omePlate `xml:"Plate"`
	ROIs       []omeROI   `xml:"ROI"`
	// Instruments and Experiments are what images refer to.
	Instruments []Element `xml:"Instrument"`
	Experiments []Element `xml:"Experiment"`
	Structured  struct {
		All []omeAnnotation `xml:",any"`
	} `xml:"StructuredAnnotations"`
}

type omeBinary struct {
	MetadataFile string `xml:"MetadataFile,attr"`
}

type omeRef struct {
	ID string `xml:"ID,attr"`
}

type omeImage struct {
	ID          string    `xml:"ID,attr"`
	Name        string    `xml:"Name,attr"`
	Acquired    string    `xml:"AcquisitionDate"`
	Description string    `xml:"Description"`
	Pixels      omePixels `xml:"Pixels"`

	InstrumentRef omeRef   `xml:"InstrumentRef"`
	ExperimentRef omeRef   `xml:"ExperimentRef"`
	Objective     *Element `xml:"ObjectiveSettings"`
	Environment   *Element `xml:"ImagingEnvironment"`
	Stage         *Element `xml:"StageLabel"`

	ROIRefs        []omeRef `xml:"ROIRef"`
	AnnotationRefs []omeRef `xml:"AnnotationRef"`
}

type omePixels struct {
	Order           string        `xml:"DimensionOrder,attr"`
	Type            string        `xml:"Type,attr"`
	SizeX           int           `xml:"SizeX,attr"`
	SizeY           int           `xml:"SizeY,attr"`
	SizeZ           int           `xml:"SizeZ,attr"`
	SizeC           int           `xml:"SizeC,attr"`
	SizeT           int           `xml:"SizeT,attr"`
	SignificantBits int           `xml:"SignificantBits,attr"`
	X               string        `xml:"PhysicalSizeX,attr"`
	Y               string        `xml:"PhysicalSizeY,attr"`
	Z               string        `xml:"PhysicalSizeZ,attr"`
	XUnit           string        `xml:"PhysicalSizeXUnit,attr"`
	YUnit           string        `xml:"PhysicalSizeYUnit,attr"`
	ZUnit           string        `xml:"PhysicalSizeZUnit,attr"`
	Channels        []omeChannel  `xml:"Channel"`
	TiffData        []omeTiffData `xml:"TiffData"`
	Planes          []Element     `xml:"Plane"`
	More            []xml.Attr    `xml:",any,attr"`
}

type omeChannel struct {
	Name           string `xml:"Name,attr"`
	Fluor          string `xml:"Fluor,attr"`
	Color          *int64 `xml:"Color,attr"`
	Samples        int    `xml:"SamplesPerPixel,attr"`
	Emission       string `xml:"EmissionWavelength,attr"`
	EmissionUnit   string `xml:"EmissionWavelengthUnit,attr"`
	Excitation     string `xml:"ExcitationWavelength,attr"`
	ExcitationUnit string `xml:"ExcitationWavelengthUnit,attr"`

	More           []xml.Attr `xml:",any,attr"`
	Detector       *Element   `xml:"DetectorSettings"`
	Light          *Element   `xml:"LightSourceSettings"`
	LightPath      *Element   `xml:"LightPath"`
	FilterSetRef   omeRef     `xml:"FilterSetRef"`
	AnnotationRefs []omeRef   `xml:"AnnotationRef"`
}

type omeTiffData struct {
	FirstZ     int  `xml:"FirstZ,attr"`
	FirstC     int  `xml:"FirstC,attr"`
	FirstT     int  `xml:"FirstT,attr"`
	IFD        *int `xml:"IFD,attr"`
	PlaneCount *int `xml:"PlaneCount,attr"`
	UUID       *struct {
		FileName string `xml:"FileName,attr"`
		Value    string `xml:",chardata"`
	} `xml:"UUID"`
}

type omePlate struct {
	Name        string    `xml:"Name,attr"`
	Description string    `xml:"Description"`
	Rows        int       `xml:"Rows,attr"`
	Columns     int       `xml:"Columns,attr"`
	RowNaming   string    `xml:"RowNamingConvention,attr"`
	ColNaming   string    `xml:"ColumnNamingConvention,attr"`
	Wells       []omeWell `xml:"Well"`
	Runs        []struct {
		Name  string   `xml:"Name,attr"`
		Start string   `xml:"StartTime,attr"`
		End   string   `xml:"EndTime,attr"`
		Refs  []omeRef `xml:"WellSampleRef"`
	} `xml:"PlateAcquisition"`
}

type omeWell struct {
	Row     int    `xml:"Row,attr"`
	Column  int    `xml:"Column,attr"`
	Type    string `xml:"Type,attr"`
	Samples []struct {
		ID       string `xml:"ID,attr"`
		ImageRef omeRef `xml:"ImageRef"`
	} `xml:"WellSample"`
}

type omeROI struct {
	ID          string `xml:"ID,attr"`
	Name        string `xml:"Name,attr"`
	Description string `xml:"Description"`
	Union       struct {
		Shapes []omeShape `xml:",any"`
	} `xml:"Union"`
	AnnotationRefs []omeRef `xml:"AnnotationRef"`
}

type omeShape struct {
	XMLName   xml.Name
	Attrs     []xml.Attr `xml:",any,attr"`
	Transform *struct {
		A00 float64 `xml:"A00,attr"`
		A10 float64 `xml:"A10,attr"`
		A01 float64 `xml:"A01,attr"`
		A11 float64 `xml:"A11,attr"`
		A02 float64 `xml:"A02,attr"`
		A12 float64 `xml:"A12,attr"`
	} `xml:"Transform"`
	BinData        string   `xml:"BinData"`
	AnnotationRefs []omeRef `xml:"AnnotationRef"`
}

// parseOME reads an OME-XML document.
func parseOME(doc []byte) (*omeDoc, error) {
	d := xml.NewDecoder(bytes.NewReader(doc))
	d.CharsetReader = func(label string, r io.Reader) (io.Reader, error) { return r, nil }
	out := new(omeDoc)
	if err := d.Decode(out); err != nil {
		return nil, damaged("the OME-XML: %v", err)
	}
	return out, nil
}

// omeTime reads a date of OME-XML, the zero time when it is none.
func omeTime(s string) time.Time {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// series describes the image without its pixels.
func (im *omeImage) series() Series {
	p := &im.Pixels
	s := Series{
		Name: im.Name, Description: strings.TrimSpace(im.Description), SizeX: p.SizeX, SizeY: p.SizeY,
		SizeZ: p.SizeZ, SizeC: p.SizeC, SizeT: p.SizeT, Type: PixelType(p.Type),
		SignificantBits: p.SignificantBits, DimensionOrder: p.Order,
		PhysicalSizeX: ParseLength(p.X, p.XUnit, "MICROMETER"),
		PhysicalSizeY: ParseLength(p.Y, p.YUnit, "MICROMETER"),
		PhysicalSizeZ: ParseLength(p.Z, p.ZUnit, "MICROMETER"),
		Acquired:      omeTime(im.Acquired), Taking: im.taking(),
	}
	if im.Stage != nil {
		s.StageLabel = im.Stage.Attr("Name")
	}
	for _, c := range p.Channels {
		ch := Channel{
			Name: c.Name, Fluor: c.Fluor,
			Emission:   ParseLength(c.Emission, c.EmissionUnit, "NANOMETER"),
			Excitation: ParseLength(c.Excitation, c.ExcitationUnit, "NANOMETER"),
			More:       moreOf(c.More), Detector: c.Detector, Light: c.Light, LightPath: c.LightPath,
			FilterSet: c.FilterSetRef.ID, Annotations: ids(c.AnnotationRefs),
		}
		if c.Color != nil {
			v := uint32(*c.Color)
			ch.Color = &Color{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
		}
		s.RGB = s.RGB || c.Samples > 1
		for range min(max(c.Samples, 1), 4) {
			s.Channels = append(s.Channels, ch)
		}
	}
	return s
}

// roi turns a ROI element into ours.
func (r *omeROI) roi() ROI {
	out := ROI{Name: r.Name, Description: strings.TrimSpace(r.Description), Annotations: ids(r.AnnotationRefs)}
	for _, s := range r.Union.Shapes {
		sh := Shape{Kind: s.XMLName.Local, Attrs: map[string]string{}, Annotations: ids(s.AnnotationRefs)}
		for _, a := range s.Attrs {
			sh.Attrs[a.Name.Local] = a.Value
		}
		if t := s.Transform; t != nil {
			sh.Transform = &[6]float64{t.A00, t.A10, t.A01, t.A11, t.A02, t.A12}
		}
		// A mask that does not decode is kept without its bits.
		sh.Bytes, _ = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s.BinData), ""))
		out.Shapes = append(out.Shapes, sh)
	}
	return out
}

// plates returns the document's plates; images are found by their number.
func (d *omeDoc) plates(imageIndex map[string]int) []Plate {
	var out []Plate
	for i := range d.Plates {
		p := &d.Plates[i]
		pl := Plate{Name: p.Name, Description: strings.TrimSpace(p.Description), Rows: p.Rows, Columns: p.Columns,
			RowNaming: p.RowNaming, ColNaming: p.ColNaming}
		runOf := map[string]int{}
		for k, r := range p.Runs {
			pl.Runs = append(pl.Runs, Run{Name: r.Name, Start: omeTime(r.Start), End: omeTime(r.End)})
			for _, ref := range r.Refs {
				runOf[ref.ID] = k
			}
		}
		for _, w := range p.Wells {
			well := Well{Row: w.Row, Column: w.Column, Type: w.Type}
			for _, ws := range w.Samples {
				series, ok := imageIndex[ws.ImageRef.ID]
				if !ok {
					continue
				}
				run, ok := runOf[ws.ID]
				if !ok {
					run = -1
				}
				well.Fields = append(well.Fields, Field{Series: series, Run: run})
			}
			pl.Rows, pl.Columns = max(pl.Rows, w.Row+1), max(pl.Columns, w.Column+1)
			pl.Wells = append(pl.Wells, well)
		}
		out = append(out, pl)
	}
	return out
}
