package repository

import (
	"fmt"
	"slices"
	"time"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// Picture describes an image as the server has it, whatever its files say, and
// gives its samples.
func (m *Managed) Picture(image int64) (*imaging.Picture, error) {
	row := m.store.Get("Image", image)
	pixels := m.store.Collection("Image", image, "pixels")
	if row == nil || len(pixels) == 0 {
		return nil, fmt.Errorf("no image %d with pixels", image)
	}
	s, err := m.describe(pixels[0])
	if err != nil {
		return nil, err
	}
	s.Name, s.Description = row.Text("name"), row.Text("description")
	s.Acquired, _ = row.Get("acquisitionDate").(time.Time)
	if label := m.store.Get("StageLabel", row.Ref("stageLabel")); label != nil {
		s.StageLabel = label.Text("name")
	}
	s.PhysicalSizeX = length(pixels[0], "physicalSizeX")
	s.PhysicalSizeY = length(pixels[0], "physicalSizeY")
	s.PhysicalSizeZ = length(pixels[0], "physicalSizeZ")
	for i, c := range m.store.Collection("Pixels", pixels[0].ID, "channels") {
		if logical := m.store.Get("LogicalChannel", c.Ref("logicalChannel")); logical != nil && i < len(s.Channels) {
			ch := &s.Channels[i]
			ch.Name, ch.Fluor = logical.Text("name"), logical.Text("fluor")
			ch.Emission, ch.Excitation = length(logical, "emissionWave"), length(logical, "excitationWave")
		}
	}
	p, err := m.OpenPixels(pixels[0].ID)
	if err != nil {
		return nil, err
	}
	return &imaging.Picture{Series: s, Plane: func(z, c, t int) []byte {
		b, err := p.Plane(z, c, t)
		if err != nil {
			return nil // a plane of no bytes fails the writer
		}
		return b
	}}, nil
}

// length is the opposite of quantity.
func length(row *store.Row, property string) imaging.Length {
	q, ok := row.Get(property).(store.Quantity)
	if !ok {
		return imaging.Length{}
	}
	for unit, n := range row.Class.Property(property).Enum.Values {
		if n == q.Unit {
			return imaging.Length{Value: q.Value, Unit: unit}
		}
	}
	return imaging.Length{}
}

// ExportTIFF writes an image as OME-TIFF.
func (m *Managed) ExportTIFF(image int64) ([]byte, error) {
	p, err := m.Picture(image)
	if err != nil {
		return nil, err
	}
	return imaging.OMETIFF(fmt.Sprintf("%d.ome.tiff", image), []imaging.Picture{*p}, imaging.Options{})
}

// ExportXML writes the metadata of images as OME-XML.
func (m *Managed) ExportXML(images []int64) ([]byte, error) {
	var all []imaging.Picture
	for _, id := range slices.Sorted(slices.Values(images)) {
		p, err := m.Picture(id)
		if err != nil {
			return nil, err
		}
		all = append(all, *p)
	}
	return imaging.OMEXML(all), nil
}
