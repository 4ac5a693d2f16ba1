package repository

import (
	"fmt"
	"path"
	"strings"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// pendingSum stands for the sum of pixels that nobody has looked at.
const pendingSum = "Pending..."

// writer makes the rows of an import within one transaction.
type writer struct {
	im       *Import
	a        *store.Author
	set      *imaging.Fileset
	stats    []*imaging.Stats
	settings Settings
	out      *Result

	parts  *parts
	images []*store.Row
	plates []*store.Row
}

// all makes everything that an import leaves behind.
func (w *writer) all() error {
	if w.a.Tx().Get(w.a.Tx().Model().Class("Fileset"), w.im.Fileset) == nil {
		return fmt.Errorf("fileset %d is gone", w.im.Fileset)
	}
	w.parts = newParts(w.a, w.set)
	if err := w.parts.instruments(); err != nil {
		return err
	}
	for i := range w.set.Series {
		if err := w.image(i); err != nil {
			return err
		}
	}
	for i := range w.set.Plates {
		if err := w.plate(&w.set.Plates[i]); err != nil {
			return err
		}
	}
	if err := w.jobs(); err != nil {
		return err
	}
	if err := w.annotate(); err != nil {
		return err
	}
	return w.link()
}

// jobs records what was done with the fileset.
func (w *writer) jobs() error {
	info := []store.NamedValue{{Name: "bioformats.reader", Value: w.set.Reader}}
	for _, j := range []struct {
		class string
		v     store.Values
	}{{"MetadataImportJob", store.Values{"versionInfo": info}}, {"PixelDataJob", nil}, {"IndexingJob", nil}} {
		if _, _, err := w.im.addJob(w.a, j.class, j.v); err != nil {
			return err
		}
	}
	if t := w.settings.Thumbnails; t != nil && *t {
		if _, _, err := w.im.addJob(w.a, "ThumbnailGenerationJob", nil); err != nil {
			return err
		}
	}
	return nil
}

// imageName is the name that series i gets.
func (w *writer) imageName(i int) string {
	name := path.Base(w.im.paths[0])
	if w.settings.Name != nil {
		name = *w.settings.Name
	}
	if len(w.set.Series) > 1 {
		name = fmt.Sprintf("%s [%s]", name, w.set.Series[i].Name)
	}
	return cutName(name)
}

// image makes the image of series i with all that belongs to it.
func (w *writer) image(i int) error {
	s := w.set.Series[i]
	if p := w.settings.PhysicalSizes; len(p) >= 3 {
		s.PhysicalSizeX = imaging.Length{Value: p[0], Unit: "MICROMETER"}
		s.PhysicalSizeY = imaging.Length{Value: p[1], Unit: "MICROMETER"}
		s.PhysicalSizeZ = imaging.Length{Value: p[2], Unit: "MICROMETER"}
	}
	v := store.Values{
		"name": w.imageName(i), "series": i, "archived": false, "partial": false,
		"fileset": w.im.Fileset, "format": w.format(),
	}
	if s.Description != "" {
		v["description"] = s.Description
	}
	if w.settings.Description != nil {
		v["description"] = *w.settings.Description
	}
	if !s.Acquired.IsZero() {
		v["acquisitionDate"] = s.Acquired
	}
	if err := w.parts.taken(v, &s.Taking); err != nil {
		return err
	}
	image, err := w.a.Create("Image", v)
	if err != nil {
		return err
	}
	pixels, err := w.parts.addPixels(image, &s, w.stats[i])
	if err != nil {
		return err
	}
	if t := w.settings.Thumbnails; t == nil || *t {
		if err := addRendering(w.a, pixels, &s, w.stats[i]); err != nil {
			return err
		}
	}
	for k := range s.ROIs {
		if err := w.parts.addROI(image, &s.ROIs[k]); err != nil {
			return err
		}
	}
	if err := w.parts.annotate(image, s.Annotations); err != nil {
		return err
	}
	w.images = append(w.images, image)
	w.out.Images = append(w.out.Images, image.ID)
	w.out.Pixels = append(w.out.Pixels, pixels.ID)
	return nil
}

// format returns the id of the enumeration value for the format; a value that
// the server has not seen is added, as servers do.
func (w *writer) format() any {
	name := w.set.Format
	if name == "APNG" {
		name = "PNG"
	}
	if id := w.a.Tx().Enum("Format", name); id != store.None {
		return id
	}
	return nil
}

// quantity makes a value of a length for a property; nil when unknown.
func quantity(m *store.Model, class, property string, l imaging.Length) any {
	p := m.Class(class).Property(property)
	unit, ok := p.Enum.Values[l.Unit]
	if l.Unit == "" || !ok {
		return nil
	}
	return store.Quantity{Value: l.Value, Unit: unit}
}

// addPixels makes the Pixels of an image and its channels.
func (p *parts) addPixels(image *store.Row, s *imaging.Series, st *imaging.Stats) (*store.Row, error) {
	m := p.a.Tx().Model()
	sum := pendingSum
	if st != nil && st.SHA1 != "" {
		sum = st.SHA1
	}
	v := store.Values{
		"image": image, "pixelsType": string(s.Type), "significantBits": s.SignificantBits,
		"sizeX": s.SizeX, "sizeY": s.SizeY, "sizeZ": s.SizeZ, "sizeC": s.SizeC, "sizeT": s.SizeT,
		// Whatever the order in the file, the server's pixels have this one.
		"dimensionOrder": "XYZCT", "sha1": sum,
		"physicalSizeX": quantity(m, "Pixels", "physicalSizeX", s.PhysicalSizeX),
		"physicalSizeY": quantity(m, "Pixels", "physicalSizeY", s.PhysicalSizeY),
		"physicalSizeZ": quantity(m, "Pixels", "physicalSizeZ", s.PhysicalSizeZ),
	}
	if s.Taking.Pixels != nil {
		if prop := m.Class("Pixels").Property("timeIncrement"); s.Taking.Pixels.Attr("TimeIncrement") != "" {
			q, err := p.value(prop, s.Taking.Pixels.Attr("TimeIncrement"), s.Taking.Pixels.Attr("TimeIncrementUnit"))
			if err != nil {
				return nil, &Failure{"error-on-init", fmt.Errorf("TimeIncrement: %w", err)}
			}
			v["timeIncrement"] = q
		}
	}
	pixels, err := p.a.Create("Pixels", v)
	if err != nil {
		return nil, err
	}
	for c := range s.Channels {
		if err := p.addChannel(pixels, s, c, st); err != nil {
			return nil, err
		}
	}
	return pixels, p.planes(pixels, s.Taking.Planes)
}

// addChannel makes channel c of pixels.
func (p *parts) addChannel(pixels *store.Row, s *imaging.Series, c int, st *imaging.Stats) error {
	m, ch := p.a.Tx().Model(), s.Channels[c]
	logical := store.Values{
		"emissionWave":   quantity(m, "LogicalChannel", "emissionWave", ch.Emission),
		"excitationWave": quantity(m, "LogicalChannel", "excitationWave", ch.Excitation),
	}
	if ch.Name != "" {
		logical["name"] = cutName(ch.Name)
	}
	if ch.Fluor != "" {
		logical["fluor"] = cutName(ch.Fluor)
	}
	if s.RGB {
		logical["samplesPerPixel"] = s.SizeC
		logical["photometricInterpretation"] = "RGB"
	} else {
		logical["samplesPerPixel"] = 1
		logical["photometricInterpretation"] = "Monochrome"
	}
	if err := p.channel(logical, &ch); err != nil {
		return err
	}
	lc, err := p.a.Create("LogicalChannel", logical)
	if err != nil {
		return err
	}
	col := s.ChannelColor(c)
	v := store.Values{
		"pixels": pixels, "logicalChannel": lc,
		"red": int(col.R), "green": int(col.G), "blue": int(col.B), "alpha": int(col.A),
	}
	if st != nil {
		info, err := p.a.Create("StatsInfo", store.Values{"globalMin": st.Min[c], "globalMax": st.Max[c]})
		if err != nil {
			return err
		}
		v["statsInfo"] = info
	}
	row, err := p.a.Create("Channel", v)
	if err != nil {
		return err
	}
	return p.annotate(row, ch.Annotations)
}

// plate makes a plate with its runs, wells and fields.
func (w *writer) plate(p *imaging.Plate) error {
	name := p.Name
	if w.settings.Name != nil {
		name = *w.settings.Name
	}
	if name == "" {
		name = path.Base(w.im.paths[0])
	}
	v := store.Values{"name": cutName(name), "rows": p.Rows, "columns": p.Columns}
	for key, text := range map[string]string{
		"rowNamingConvention": strings.ToLower(p.RowNaming), "columnNamingConvention": strings.ToLower(p.ColNaming),
		"description": p.Description,
	} {
		if text != "" {
			v[key] = text
		}
	}
	plate, err := w.a.Create("Plate", v)
	if err != nil {
		return err
	}
	w.plates = append(w.plates, plate)
	w.out.Plates = append(w.out.Plates, plate.ID)
	runs, err := w.runs(p, plate)
	if err != nil {
		return err
	}
	for _, well := range p.Wells {
		v := store.Values{"plate": plate, "row": well.Row, "column": well.Column}
		if well.Type != "" {
			v["type"] = well.Type
		}
		row, err := w.a.Create("Well", v)
		if err != nil {
			return err
		}
		for _, f := range well.Fields {
			v := store.Values{"well": row, "image": w.images[f.Series]}
			if f.Run >= 0 {
				v["plateAcquisition"] = runs[f.Run]
			}
			if _, err := w.a.Create("WellSample", v); err != nil {
				return err
			}
		}
	}
	return nil
}

// runs makes the acquisitions of a plate.
func (w *writer) runs(p *imaging.Plate, plate *store.Row) ([]*store.Row, error) {
	most := make([]int, len(p.Runs))
	for _, well := range p.Wells {
		n := make([]int, len(p.Runs))
		for _, f := range well.Fields {
			if f.Run >= 0 {
				n[f.Run]++
				most[f.Run] = max(most[f.Run], n[f.Run])
			}
		}
	}
	var out []*store.Row
	for i, r := range p.Runs {
		v := store.Values{"plate": plate, "maximumFieldCount": most[i]}
		if r.Name != "" {
			v["name"] = cutName(r.Name)
		}
		if !r.Start.IsZero() {
			v["startTime"] = r.Start
		}
		if !r.End.IsZero() {
			v["endTime"] = r.End
		}
		row, err := w.a.Create("PlateAcquisition", v)
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}
