package sample

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"strings"
	"time"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// LongName has 300 characters, some of them of several bytes.
var LongName = "Überlanger Name: " + strings.Repeat("Nierenkörperchen ", 16) + "und so fort"

// study collects what later steps refer to.
type study struct {
	ada, grace, juergen *loader
	private             *loader   // ada in the private group
	accounts            []Account // with their ids

	glomerulus *store.Row // the image that carries the annotations and ROIs
	kidney     *store.Row
}

// Load makes the study, its people included, and returns who can log in.
// Root's password is not touched.
func Load(ctx context.Context, t Target) ([]Account, error) {
	s := new(study)
	if err := s.people(&loader{ctx: ctx, t: t, actor: store.Root}); err != nil {
		return nil, fmt.Errorf("sample users: %w", err)
	}
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"kidney", s.kidneyProject}, {"zebrafish", s.zebrafishProject}, {"annotations", s.annotations},
		{"ROIs", s.rois}, {"screen", s.screen}, {"private data", s.privateData},
	} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := step.run(); err != nil {
			return nil, fmt.Errorf("sample %s: %w", step.name, err)
		}
	}
	return s.accounts, nil
}

const home = "/home/ada/microscope/2024"

func pngBytes(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

func day(n int) time.Time { return time.Date(2024, 5, n, 9, 30, 0, 0, time.UTC) }

// kidneyProject makes the project with a file of each kind.
func (s *study) kidneyProject() error {
	l := s.ada
	var err error
	s.kidney, err = l.create("Project", store.Values{"name": "Kidney", "description": "Sections of mouse kidney, three stains.\nA drawn sample study."})
	if err != nil {
		return err
	}
	confocal, err := l.dataset(s.kidney, "Confocal", "Stacks from the confocal microscope")
	if err != nil {
		return err
	}
	if err := s.confocal(confocal); err != nil {
		return err
	}
	slides, err := l.dataset(s.kidney, "Slides / H&E", "Colour pictures from the slide scanner")
	if err != nil {
		return err
	}
	if err := s.slides(slides); err != nil {
		return err
	}
	// Two datasets of one name, one of them empty, and one with a long name.
	for i, name := range []string{"Controls", "Controls", LongName} {
		d, err := l.dataset(s.kidney, name, "")
		if err != nil {
			return err
		}
		if i == 1 {
			continue
		}
		data, err := omeTIFF("control.ome.tiff", nil, stack{name: "control", seed: uint64(31 + i), w: 128, h: 96, radius: 13, pixels: imaging.Uint8, sizeZ: 1, sizeC: 2, sizeT: 1})
		if err != nil {
			return err
		}
		if _, err := l.load(sources(home+"/controls", imaging.NamedFile{Name: "control.ome.tiff", Data: data}), "loci.formats.in.OMETiffReader", into(d)); err != nil {
			return err
		}
	}
	return nil
}

// confocal fills a dataset with a file of one image, a file of three, a fileset
// of several files and an image without files.
func (s *study) confocal(d *store.Row) error {
	l, ome := s.ada, "loci.formats.in.OMETiffReader"
	data, err := omeTIFF("glomerulus.ome.tiff", Taken, stack{
		name: "glomerulus", seed: 1, w: 256, h: 256, radius: 22, pixels: imaging.Uint16, sizeZ: 5, sizeC: 3, sizeT: 1,
		acquiredOnDay: 6, description: "Stack through a glomerulus",
	})
	if err != nil {
		return err
	}
	out, err := l.load(sources(home+"/confocal", imaging.NamedFile{Name: "glomerulus.ome.tiff", Data: data}), ome, into(d))
	if err != nil {
		return err
	}
	s.glomerulus = l.t.Store.Get("Image", out.Images[0])
	if err := l.t.Store.Write(l.actor, func(a *store.Author) error { return Correct(a, s.glomerulus.ID) }); err != nil {
		return err
	}

	var three []stack
	for i, name := range []string{"Kortex", "Übergang", "Mark"} {
		three = append(three, stack{
			name: name, seed: uint64(10 + i), w: 160 + 16*i, h: 128, radius: 15, pixels: imaging.Uint16, sizeZ: 1, sizeC: 2, sizeT: 1,
			acquiredOnDay: 7 + i, stageLabel: fmt.Sprintf("Position %d", i+1),
		})
	}
	if data, err = omeTIFF("positions.ome.tiff", nil, three...); err != nil {
		return err
	}
	if _, err = l.load(sources(home+"/confocal", imaging.NamedFile{Name: "positions.ome.tiff", Data: data}), ome, into(d)); err != nil {
		return err
	}

	set, err := drawn("tubules", tubules)
	if err != nil {
		return err
	}
	name := "tubules"
	settings := into(d)
	settings.Name = &name
	if _, err = l.load(sources(home+"/confocal/tubules", set...), ome, settings); err != nil {
		return err
	}

	labels, err := drawn("segmentation", func() (imaging.Picture, error) {
		p := newTissue(3, 128, 128, 14).stack("segmentation (drawn)", imaging.Uint8, 1, 1, 1)
		p.Channels = []imaging.Channel{{Name: "labels"}}
		return p, nil
	})
	if err != nil {
		return err
	}
	image, err := l.t.Files.AddImage(l.actor, labels)
	if err != nil {
		return err
	}
	_, err = l.create("DatasetImageLink", store.Values{"parent": d, "child": image})
	return err
}

// tubules draws a stack whose channels are in files of their own.
func tubules() ([]imaging.NamedFile, error) {
	big := newTissue(2, 256, 192, 18).stack("tubules", imaging.Uint16, 3, 3, 1)
	big.Acquired = day(11)
	parts := make([]imaging.Part, 3)
	for c := range parts {
		parts[c] = imaging.Part{Name: fmt.Sprintf("tubules_C%d.ome.tiff", c), Holds: func(_, _, at, _ int) bool { return at == c }}
	}
	return imaging.OMETIFFSet([]imaging.Picture{big}, parts, imaging.Options{Deflate: true, Companion: "tubules.companion.ome"})
}

// slides fills a dataset with pictures that have awkward names.
func (s *study) slides(d *store.Row) error {
	for i, name := range []string{"overview.png", "overview.png", "Übersicht Nierenschnitt äöüß.png", "cortex/medulla: 10×.png", LongName} {
		data, err := stainedPNG(uint64(20+i), 240, 180)
		if err != nil {
			return err
		}
		file := fmt.Sprintf("slide %d.png", i+1)
		if i < 3 { // the others are no names of files
			file = name
		}
		out, err := s.ada.load(sources(fmt.Sprintf("%s/scanner/tray %d", home, i+1), imaging.NamedFile{Name: file, Data: data}), "loci.formats.in.APNGReader", into(d))
		if err != nil {
			return err
		}
		if err := s.ada.rename("Image", out.Images[0], name); err != nil {
			return err
		}
	}
	return nil
}

// zebrafishProject makes a second project, a dataset in none, an image in none,
// and something of another member.
func (s *study) zebrafishProject() error {
	l := s.ada
	project, err := l.create("Project", store.Values{"name": "Zebrafish / heart"})
	if err != nil {
		return err
	}
	d, err := l.dataset(project, "Time-lapse", "One beat of a heart")
	if err != nil {
		return err
	}
	data, err := plainTIFF(stack{name: "beat", seed: 40, w: 160, h: 120, radius: 14, pixels: imaging.Uint8, sizeZ: 1, sizeC: 2, sizeT: 8}, true)
	if err != nil {
		return err
	}
	tiff := "loci.formats.in.TiffReader"
	if _, err := l.load(sources(home+"/fish", imaging.NamedFile{Name: "beat.tif", Data: data}), tiff, into(d)); err != nil {
		return err
	}
	alone, err := l.dataset(nil, "Calibration", "In no project")
	if err != nil {
		return err
	}
	fake := imaging.NamedFile{Name: "beads&sizeX=96&sizeY=64&sizeZ=3&sizeC=2&pixelType=uint16&physicalSizeX=0.1&physicalSizeY=0.1.fake"}
	if _, err := l.load(sources(home+"/calibration", fake), "loci.formats.in.FakeReader", into(alone)); err != nil {
		return err
	}
	if data, err = plainTIFF(stack{name: "test", seed: 41, w: 96, h: 96, radius: 12, pixels: imaging.Uint8, sizeZ: 1, sizeC: 1, sizeT: 1}, false); err != nil {
		return err
	}
	if _, err := l.load(sources(home, imaging.NamedFile{Name: "first light.tif", Data: data}), tiff, repository.Settings{}); err != nil {
		return err
	}
	// Grace's part of the laboratory.
	retina, err := s.grace.create("Project", store.Values{"name": "Retina"})
	if err != nil {
		return err
	}
	if d, err = s.grace.dataset(retina, "Pilot", ""); err != nil {
		return err
	}
	if data, err = omeTIFF("retina.ome.tiff", nil, stack{name: "retina", seed: 42, w: 128, h: 128, radius: 11, pixels: imaging.Uint16, sizeZ: 1, sizeC: 3, sizeT: 1}); err != nil {
		return err
	}
	_, err = s.grace.load(sources("/home/grace/retina", imaging.NamedFile{Name: "retina.ome.tiff", Data: data}), "loci.formats.in.OMETiffReader", into(d))
	return err
}

// privateData makes something that only its owner sees.
func (s *study) privateData() error {
	project, err := s.private.create("Project", store.Values{"name": "Unpublished"})
	if err != nil {
		return err
	}
	d, err := s.private.dataset(project, "Draft", "")
	if err != nil {
		return err
	}
	data, err := stainedPNG(50, 160, 120)
	if err != nil {
		return err
	}
	_, err = s.private.load(sources(home+"/draft", imaging.NamedFile{Name: "draft.png", Data: data}), "loci.formats.in.APNGReader", into(d))
	return err
}
