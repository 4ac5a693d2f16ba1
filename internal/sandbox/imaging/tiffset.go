package imaging

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// planeRef says where a plane lies: a sample of a page of a TIFF file. A nil
// page is a plane that the metadata promise and no file holds; it is black.
type planeRef struct {
	file   string
	page   *tiffPage
	sample int
}

// tiffPlanes gives the planes of series that are kept in TIFF files.
type tiffPlanes struct {
	fsys   fs.FS
	series []tiffSeries
}

// tiffSeries finds the planes of one series. Metadata can promise many more
// than there are pages, so that there is no table of them all.
type tiffSeries struct {
	planeBytes int64
	ref        func(z, c, t int) planeRef
}

func (t *tiffPlanes) plane(series, z, c, ti int) ([]byte, error) {
	s := t.series[series]
	ref := s.ref(z, c, ti)
	if ref.page == nil {
		return make([]byte, s.planeBytes), nil
	}
	f, _, err := open(t.fsys, ref.file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ref.page.decode(f, ref.sample)
}

// readTIFFSet reads a fileset whose main file is a TIFF.
func readTIFFSet(fsys fs.FS, main string, f file, size int64) (*Fileset, error) {
	t, err := parseTIFF(f, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", main, err)
	}
	if doc := t.pages[0].description; strings.Contains(doc, "<OME") || strings.Contains(doc, ":OME") {
		if ome, err := parseOME([]byte(doc)); err == nil {
			return t.describe(readOMETIFF(fsys, main, t, ome))
		}
	}
	return t.describe(readPlainTIFF(fsys, main, t))
}

// describe adds what the tags of the first page say.
func (t *tiffFile) describe(f *Fileset, err error) (*Fileset, error) {
	if err != nil {
		return nil, err
	}
	first := t.pages[0]
	f.Metadata = map[string]string{
		"ImageWidth": strconv.Itoa(first.width), "ImageLength": strconv.Itoa(first.height), "BitsPerSample": strconv.Itoa(first.bits),
		"SamplesPerPixel": strconv.Itoa(first.samples), "NumberOfChannels": strconv.Itoa(first.samples),
	}
	if name, ok := map[int]string{0: "WhiteIsZero", 1: "BlackIsZero", 2: "RGB", 3: "Palette", 6: "YCbCr"}[first.photometric]; ok {
		f.Metadata["PhotometricInterpretation"] = name
	}
	if strings.HasPrefix(first.description, "ImageJ=") {
		for line := range strings.Lines(first.description) {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
				f.Metadata[key] = value
			}
		}
	}
	return f, nil
}

// readPlainTIFF takes the pages of a TIFF as the planes of one image: as
// ImageJ numbers them when its note is there, else as time points.
func readPlainTIFF(fsys fs.FS, main string, t *tiffFile) (*Fileset, error) {
	first := t.pages[0]
	var pages []*tiffPage
	for _, p := range t.pages {
		if (p == first || !p.reduced) && p.sameShape(first) {
			pages = append(pages, p)
		}
	}
	pt, err := first.pixelType()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", main, err)
	}
	s := Series{
		Name: path.Base(main), SizeX: first.width, SizeY: first.height, SizeZ: 1, SizeC: first.samples, SizeT: len(pages),
		Type: pt, SignificantBits: first.bits, DimensionOrder: "XYCZT", RGB: first.samples > 1,
	}
	s.PhysicalSizeX, s.PhysicalSizeY = first.physicalSize(first.xRes), first.physicalSize(first.yRes)
	sizeC := 1 // channels that are pages
	if strings.HasPrefix(first.description, "ImageJ=") {
		if pages, sizeC, err = imageJ(&s, first, pages, t.size); err != nil {
			return nil, fmt.Errorf("%s: %w", main, err)
		}
	}
	if err := s.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", main, err)
	}
	ref := func(z, c, ti int) planeRef {
		return planeRef{main, pages[(ti*s.SizeZ+z)*sizeC+c/first.samples], c % first.samples}
	}
	return &Fileset{
		Reader: "loci.formats.in.TiffReader", Format: "Tiff", Files: []string{main}, Series: []Series{s},
		planes: &tiffPlanes{fsys, []tiffSeries{{s.PlaneBytes(), ref}}},
	}, nil
}

// physicalSize returns the size of a pixel from a resolution in inches or
// centimetres.
func (p *tiffPage) physicalSize(res float64) Length {
	switch {
	case res <= 0:
	case p.resolutionUnit == 2:
		return Length{25400 / res, "MICROMETER"}
	case p.resolutionUnit == 3:
		return Length{10000 / res, "MICROMETER"}
	}
	return Length{}
}

// imageJ applies the note that ImageJ leaves in the description. It returns the
// pages in order and how many channels are pages of their own.
func imageJ(s *Series, first *tiffPage, pages []*tiffPage, size int64) ([]*tiffPage, int, error) {
	note := map[string]string{}
	for line := range strings.Lines(first.description) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		note[key] = value
	}
	get := func(key string, def int) int {
		if n, err := strconv.Atoi(note[key]); err == nil && n > 0 {
			return n
		}
		return def
	}
	if n := get("images", 1); n > len(pages) && len(pages) == 1 && first.compression == compressNone {
		// Stacks beyond 4 GiB have one directory and the planes one after
		// another.
		var err error
		if pages, err = contiguous(first, n, size); err != nil {
			return nil, 0, err
		}
	}
	c, z, t := get("channels", 1), get("slices", 1), get("frames", 1)
	if c > len(pages) || z > len(pages) || t > len(pages) || c*z*t != len(pages) {
		c, z, t = 1, 1, len(pages)
	}
	s.SizeC, s.SizeZ, s.SizeT = c*first.samples, z, t
	unit := note["unit"]
	if unit == "micron" || unit == `\u00B5m` {
		unit = "um"
	}
	if name := lengthUnits[unit]; name != "" && unit != "pixel" {
		if first.xRes > 0 && first.yRes > 0 {
			s.PhysicalSizeX, s.PhysicalSizeY = Length{1 / first.xRes, name}, Length{1 / first.yRes, name}
		}
		s.PhysicalSizeZ = ParseLength(note["spacing"], "", name)
	} else {
		s.PhysicalSizeX, s.PhysicalSizeY = Length{}, Length{}
	}
	return pages, c, nil
}

// contiguous makes n pages that follow the first without directories.
func contiguous(first *tiffPage, n int, size int64) ([]*tiffPage, error) {
	var bytes int64
	for _, c := range first.counts {
		bytes += c
	}
	if n > maxPages || len(first.offsets) > 1<<16 || n*len(first.offsets) > 1<<24 ||
		first.offsets[0]+int64(n)*bytes > size {
		return nil, damaged("a stack of %d planes in a file of %d bytes", n, size)
	}
	pages := []*tiffPage{first}
	for i := 1; i < n; i++ {
		p := *first
		p.offsets = make([]int64, len(first.offsets))
		for k, off := range first.offsets {
			p.offsets[k] = off + int64(i)*bytes
		}
		pages = append(pages, &p)
	}
	return pages, nil
}
