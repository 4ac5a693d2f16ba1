package imaging

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

const omeTIFFReader = "loci.formats.in.OMETiffReader"

// omeSet collects what an OME-XML document and its TIFF files hold.
type omeSet struct {
	fsys fs.FS
	dir  string // folder that file names in the document are relative to
	main string
	uuid string // of the main file
	// opened has the directories of the files read so far.
	opened map[string]*tiffFile
	files  []string

	channels, placed int // of all images so far
}

// A few bytes of a document can ask for very many channels, and for pages to
// be placed again and again.
const (
	maxChannels = 1 << 17 // of all images of a fileset
	maxPlaced   = 1 << 22
)

// readOMETIFF reads a fileset whose main file is an OME-TIFF.
func readOMETIFF(fsys fs.FS, main string, t *tiffFile, doc *omeDoc) (*Fileset, error) {
	set := &omeSet{
		fsys: fsys, dir: path.Dir(main), main: main, uuid: doc.UUID,
		opened: map[string]*tiffFile{main: t}, files: []string{main},
	}
	if b := doc.BinaryOnly; b != nil {
		name := path.Join(set.dir, b.MetadataFile)
		text, err := readWhole(fsys, name, maxDocumentBytes)
		if err != nil {
			return nil, fmt.Errorf("metadata of %s: %w", main, err)
		}
		if doc, err = parseOME(text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		set.dir = path.Dir(name)
		set.files = append(set.files, name)
	}
	return set.read(doc)
}

// isCompanion tells whether a file is an OME-XML document that describes
// OME-TIFF files beside it.
func isCompanion(name string, head []byte) bool {
	return strings.HasSuffix(strings.ToLower(name), ".companion.ome") && strings.Contains(string(head), "<OME")
}

// readCompanion reads a fileset whose main file is a companion.ome.
func readCompanion(fsys fs.FS, main string) (*Fileset, error) {
	text, err := readWhole(fsys, main, maxDocumentBytes)
	if err != nil {
		return nil, err
	}
	doc, err := parseOME(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", main, err)
	}
	set := &omeSet{
		fsys: fsys, dir: path.Dir(main), main: main, uuid: doc.UUID,
		opened: map[string]*tiffFile{}, files: []string{main},
	}
	return set.read(doc)
}

// read makes the fileset of a document.
func (o *omeSet) read(doc *omeDoc) (*Fileset, error) {
	if len(doc.Images) == 0 || len(doc.Images) > maxSeries {
		return nil, fmt.Errorf("%s: %w", o.main, damaged("OME-XML with %d images", len(doc.Images)))
	}
	out := &Fileset{Reader: omeTIFFReader, Format: "OMETiff"}
	planes := &tiffPlanes{fsys: o.fsys}
	rois := map[string]ROI{}
	for i := range doc.ROIs {
		rois[doc.ROIs[i].ID] = doc.ROIs[i].roi()
	}
	out.Instruments, out.Experiments, out.Annotations = doc.Instruments, doc.Experiments, map[string]Annotation{}
	for i := range doc.Structured.All {
		if a, ok := doc.Structured.All[i].annotation(); ok {
			out.Annotations[doc.Structured.All[i].ID] = a
		}
	}
	index := map[string]int{}
	used := 0 // pages that images without TiffData have taken so far
	for i := range doc.Images {
		im := &doc.Images[i]
		s := im.series()
		err := s.Check()
		if o.channels += s.SizeC; err == nil && o.channels > maxChannels {
			err = damaged("more than %d channels", maxChannels)
		}
		if err != nil {
			return nil, fmt.Errorf("%s, image %d: %w", o.main, i, err)
		}
		if s.Name == "" {
			s.Name = path.Base(o.main)
			if len(doc.Images) > 1 {
				s.Name = fmt.Sprintf("%s #%d", s.Name, i+1)
			}
		}
		ts, err := o.place(&s, im, &used)
		if err != nil {
			return nil, fmt.Errorf("%s, image %d: %w", o.main, i, err)
		}
		for _, ref := range im.ROIRefs {
			if r, ok := rois[ref.ID]; ok {
				s.ROIs = append(s.ROIs, r)
			}
		}
		s.Annotations = ids(im.AnnotationRefs)
		index[im.ID] = i
		out.Series = append(out.Series, s)
		planes.series = append(planes.series, ts)
	}
	out.Plates = doc.plates(index)
	out.Files = o.files
	out.planes = planes
	return out, nil
}

// place finds the page of each plane of an image.
func (o *omeSet) place(s *Series, im *omeImage, used *int) (tiffSeries, error) {
	order := im.Pixels.Order
	if len(order) != 5 || !strings.HasPrefix(order, "XY") {
		return tiffSeries{}, damaged("dimension order %q", order)
	}
	// Channel elements with several samples are one page each.
	samples, channels := 1, s.SizeC
	if c := im.Pixels.Channels; len(c) > 0 && c[0].Samples > 1 && s.SizeC%c[0].Samples == 0 {
		samples = c[0].Samples
		channels = s.SizeC / samples
	}
	p := &placer{set: o, s: s, order: order[2:], samples: samples, channels: channels, pages: map[zct]planeRef{}}
	data := im.Pixels.TiffData
	if len(data) == 0 {
		first := *used
		n := s.SizeZ * channels * s.SizeT
		data = []omeTiffData{{IFD: &first, PlaneCount: &n}}
		*used += n
	}
	for i := range data {
		if err := p.add(&data[i], len(data) == 1); err != nil {
			return tiffSeries{}, err
		}
	}
	return tiffSeries{s.PlaneBytes(), func(z, c, t int) planeRef {
		ref := p.pages[zct{z, c / samples, t}]
		ref.sample = c % samples
		return ref
	}}, nil
}

// zct is the place of a page in an image.
type zct struct{ z, c, t int }

// placer gives each plane of an image its page.
type placer struct {
	set               *omeSet
	s                 *Series
	order             string // such as ZCT, the first varying fastest
	samples, channels int
	pages             map[zct]planeRef
}

// add applies one TiffData element; only tells whether it is the only one of
// its image. Without IFD and PlaneCount it stands for all pages, with an IFD
// alone for one.
func (p *placer) add(d *omeTiffData, only bool) error {
	name, t, err := p.set.file(d)
	if err != nil {
		return err
	}
	ifd, count := 0, len(t.pages)
	if d.IFD != nil {
		ifd, count = *d.IFD, 1
	} else if !only && d.UUID != nil {
		count = min(count, 1)
	}
	if d.PlaneCount != nil {
		count = *d.PlaneCount
	}
	sizes := map[byte]int{'Z': p.s.SizeZ, 'C': p.channels, 'T': p.s.SizeT}
	at := map[byte]int{'Z': d.FirstZ, 'C': d.FirstC, 'T': d.FirstT}
	if len(p.order) != 3 || sizes[p.order[0]]*sizes[p.order[1]]*sizes[p.order[2]] != p.s.SizeZ*p.channels*p.s.SizeT {
		return damaged("dimension order XY%s", p.order)
	}
	for axis, n := range sizes {
		if at[axis] < 0 || at[axis] >= n {
			return damaged("a TiffData element outside the image")
		}
	}
	if d.PlaneCount == nil && d.IFD == nil {
		count = min(count, sizes['Z']*sizes['C']*sizes['T'])
	}
	for k := range count {
		if at[p.order[2]] >= sizes[p.order[2]] {
			return damaged("a TiffData element outside the image")
		}
		if ifd < 0 || ifd+k >= len(t.pages) {
			return damaged("%s has %d pages, the metadata name page %d", name, len(t.pages), ifd+k)
		}
		if err := p.put(name, t.pages[ifd+k], at['Z'], at['C'], at['T']); err != nil {
			return err
		}
		for _, axis := range []byte(p.order) {
			if at[axis]++; at[axis] < sizes[axis] || axis == p.order[2] {
				break
			}
			at[axis] = 0
		}
	}
	return nil
}

// put notes the page of the plane at z, c, t.
func (p *placer) put(name string, page *tiffPage, z, c, t int) error {
	pt, err := page.pixelType()
	if err != nil {
		return err
	}
	if page.width != p.s.SizeX || page.height != p.s.SizeY || pt.Bytes() != p.s.Type.Bytes() || page.samples < p.samples {
		return damaged("%s has a page of %dx%d %s with %d samples, the metadata say %dx%d %s with %d",
			name, page.width, page.height, pt, page.samples, p.s.SizeX, p.s.SizeY, p.s.Type, p.samples)
	}
	if p.set.placed++; p.set.placed > maxPlaced {
		return damaged("more than %d pages are placed", maxPlaced)
	}
	p.pages[zct{z, c, t}] = planeRef{file: name, page: page}
	return nil
}

// file returns the TIFF file that a TiffData element speaks of.
func (o *omeSet) file(d *omeTiffData) (string, *tiffFile, error) {
	name := o.main
	if u := d.UUID; u != nil && u.FileName != "" && (o.uuid == "" || strings.TrimSpace(u.Value) != o.uuid) {
		name = path.Join(o.dir, u.FileName)
	}
	if t := o.opened[name]; t != nil {
		return name, t, nil
	}
	f, size, err := open(o.fsys, name)
	if err != nil {
		return name, nil, err
	}
	defer f.Close()
	head := make([]byte, 8)
	if _, err := f.ReadAt(head, 0); err != nil || !isTIFF(head) {
		return name, nil, damaged("%s is no TIFF", name)
	}
	t, err := parseTIFF(f, size)
	if err != nil {
		return name, nil, fmt.Errorf("%s: %w", name, err)
	}
	o.opened[name] = t
	o.files = append(o.files, name)
	return name, t, nil
}
