package wild

import (
	"bytes"
	"fmt"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// makeImages makes images of files of several sorts and without files, puts
// them into none, one or several datasets, and gives them new names.
func (m *maker) makeImages() error {
	for range 1 + m.r.IntN(5) {
		made, err := m.fileset()
		if err != nil {
			return err
		}
		for _, id := range made {
			image := m.t.Store.Get("Image", id)
			m.images = append(m.images, image)
			for _, d := range m.datasets {
				if m.chance(2) {
					if err := m.link("DatasetImageLink", d, image); err != nil {
						return err
					}
				}
			}
			if m.chance(2) {
				v := store.Values{"name": m.name()}
				if image.Ref("fileset") == store.None {
					v["name"] = cut("(drawn)" + m.name())
				}
				if m.chance(2) {
					v["description"] = m.long()
				}
				if err := m.change(image, v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// picture is a small image with some content.
func (m *maker) picture(name string) imaging.Picture {
	p := imaging.Picture{Series: imaging.Series{
		Name: name, SizeX: 4 + m.r.IntN(12), SizeY: 4 + m.r.IntN(12), SizeZ: 1 + m.r.IntN(3), SizeC: 1 + m.r.IntN(3), SizeT: 1 + m.r.IntN(2),
		Type: pick(m, []imaging.PixelType{imaging.Uint8, imaging.Uint16}), DimensionOrder: "XYZCT",
	}}
	if m.chance(2) {
		p.PhysicalSizeX = imaging.Length{Value: 0.25, Unit: "MICROMETER"}
	}
	for c := range p.SizeC {
		p.Channels = append(p.Channels, imaging.Channel{Name: fmt.Sprintf("c%d", c)})
	}
	size := p.SizeX * p.SizeY
	if p.Type == imaging.Uint16 {
		size *= 2
	}
	seed := byte(m.r.IntN(256))
	p.Plane = func(z, c, t int) []byte {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(i*7+z*31+c*57+t*91) ^ seed
		}
		return b
	}
	return p
}

// fileset imports one fileset, or makes an image without files, and returns
// the images.
func (m *maker) fileset() ([]int64, error) {
	ome := "loci.formats.in.OMETiffReader"
	switch m.r.IntN(5) {
	case 0: // one file, one image
		data, err := imaging.OMETIFF("one.ome.tiff", []imaging.Picture{m.picture("one")}, imaging.Options{Deflate: true})
		if err != nil {
			return nil, err
		}
		return m.load(ome, imaging.NamedFile{Name: pick(m, []string{"one.ome.tiff", "ünï çödé.ome.tiff", "a b.ome.tiff"}), Data: data})
	case 1: // one file, several images
		var pictures []imaging.Picture
		for i := range 2 + m.r.IntN(2) {
			pictures = append(pictures, m.picture(fmt.Sprintf("series %d", i)))
		}
		data, err := imaging.OMETIFF("many.ome.tiff", pictures, imaging.Options{Deflate: true})
		if err != nil {
			return nil, err
		}
		return m.load(ome, imaging.NamedFile{Name: "many.ome.tiff", Data: data})
	case 2: // several files, one or two images
		pictures := []imaging.Picture{m.picture("first")}
		if m.chance(2) {
			pictures = append(pictures, m.picture("second"))
		}
		var parts []imaging.Part
		for i := range 2 {
			parts = append(parts, imaging.Part{Name: fmt.Sprintf("part_%d.ome.tiff", i), Holds: func(_, z, c, t int) bool { return (z+c+t)%2 == i }})
		}
		// Each part needs a plane.
		pictures[0].SizeZ = 2
		set, err := imaging.OMETIFFSet(pictures, parts, imaging.Options{Deflate: true, Companion: "set.companion.ome"})
		if err != nil {
			return nil, err
		}
		return m.load(ome, set...)
	case 3: // a made-up image
		name := fmt.Sprintf("fake&sizeX=%d&sizeY=8&sizeC=%d&series=%d.fake", 4+m.r.IntN(9), 1+m.r.IntN(3), 1+m.r.IntN(3))
		return m.load("loci.formats.in.FakeReader", imaging.NamedFile{Name: name})
	default: // without files
		p := m.picture("(drawn) " + m.name())
		p.Name = cut(p.Name)
		image, err := m.t.Files.AddImage(m.actor, p)
		if err != nil {
			return nil, err
		}
		return []int64{image.ID}, nil
	}
}

// load imports files as one fileset that belongs nowhere yet.
func (m *maker) load(reader string, files ...imaging.NamedFile) ([]int64, error) {
	u := repository.Upload{Algorithm: repository.DefaultAlgorithm, VersionInfo: []store.NamedValue{{Name: "bioformats.reader", Value: reader}}}
	for _, f := range files {
		u.ClientPaths = append(u.ClientPaths, pick(m, []string{"home/ada/", "C:/Users/ada/", "data/äöü/x y/"})[:]+f.Name)
	}
	// All of a fileset come from one folder.
	dir := u.ClientPaths[0][:len(u.ClientPaths[0])-len(files[0].Name)]
	for i, f := range files {
		u.ClientPaths[i] = dir + f.Name
	}
	im, err := m.t.Files.Begin(m.actor, u)
	if err != nil {
		return nil, err
	}
	for i, f := range files {
		if err := im.CopyIn(i, bytes.NewReader(f.Data)); err != nil {
			return nil, err
		}
	}
	out, err := im.Run(m.ctx, into(nil), func(int) {})
	if err != nil {
		return nil, fmt.Errorf("import %s: %w", files[0].Name, err)
	}
	return out.Images, nil
}

func (m *maker) pixels(image *store.Row) *store.Row {
	return m.t.Store.Collection("Image", image.ID, "pixels")[0]
}
