package wild

import (
	"fmt"
	"slices"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// makeScreens makes screens with reagents, and plates in none, one or several
// of them, that one import made or that were put together of images.
func (m *maker) makeScreens() error {
	if m.chance(2) {
		return nil
	}
	g := m.t.Store.Get("ExperimenterGroup", m.actor.Group).Text("name")
	var screens, reagents []*store.Row
	for range m.r.IntN(3) {
		s, err := m.create("Screen", m.fill("Screen", nil))
		if err != nil {
			return err
		}
		screens = append(screens, s)
		m.made.Screens = append(m.made.Screens, Object{"Screen", s.ID, g})
		for range m.r.IntN(3) {
			r, err := m.create("Reagent", m.fill("Reagent", store.Values{"screen": s}))
			if err != nil {
				return err
			}
			reagents = append(reagents, r)
		}
	}
	plates, err := m.plates()
	if err != nil {
		return err
	}
	for _, p := range plates {
		alone := true
		for _, s := range screens {
			if m.chance(2) {
				alone = false
				if err := m.link("ScreenPlateLink", s, p); err != nil {
					return err
				}
			}
		}
		if alone {
			m.made.Plates = append(m.made.Plates, Object{"Plate", p.ID, g})
		}
	}
	objects := slices.Concat(screens, reagents, plates)
	var images []*store.Row
	for _, p := range plates {
		parts, fields, err := m.plate(p, reagents)
		if err != nil {
			return err
		}
		objects, images = append(objects, parts...), append(images, fields...)
	}
	// What people do with images they do with those of plates.
	all := m.images
	m.images = images
	defer func() { m.images = all }()
	for _, step := range []func() error{m.makeRegions, m.makeChannels, m.makeRendering} {
		if err := step(); err != nil {
			return err
		}
	}
	return m.annotateSome(append(objects, images...))
}

// plates makes plates, in files of one or two or of images that are there.
func (m *maker) plates() ([]*store.Row, error) {
	var plates []*store.Row
	for range 1 + m.r.IntN(2) {
		name := fmt.Sprintf("p&plates=%d&plateRows=%d&plateCols=%d&fields=%d&plateAcqs=%d&sizeX=8&sizeY=8&sizeC=%d.fake",
			1+m.r.IntN(2), 1+m.r.IntN(2), 1+m.r.IntN(3), 1+m.r.IntN(2), m.r.IntN(3), 1+m.r.IntN(2))
		images, err := m.load("loci.formats.in.FakeReader", imaging.NamedFile{Name: name})
		if err != nil {
			return nil, err
		}
		for _, id := range images {
			for _, field := range m.t.Store.Collection("Image", id, "wellSamples") {
				plate := m.t.Store.Get("Plate", m.t.Store.Get("Well", field.Ref("well")).Ref("plate"))
				if !slices.ContainsFunc(plates, func(p *store.Row) bool { return p.ID == plate.ID }) {
					plates = append(plates, plate)
				}
			}
		}
	}
	return plates, nil
}

// plate edits a plate with all that it consists of, and puts reagents into its
// wells. It returns its runs and wells, and its images.
func (m *maker) plate(plate *store.Row, reagents []*store.Row) (parts, images []*store.Row, err error) {
	edit := func(row *store.Row, fixed ...string) error {
		leave := store.Values{"red": "-", "green": "-", "blue": "-", "alpha": "-"}
		if row.Class.Name == "Well" && m.chance(2) { // a colour has all four
			for _, part := range []string{"red", "green", "blue", "alpha"} {
				leave[part] = m.r.IntN(256)
			}
		}
		for _, name := range fixed {
			leave[name] = "-"
		}
		return m.change(row, m.fill(row.Class.Name, leave))
	}
	if err := edit(plate, "rows", "columns"); err != nil {
		return nil, nil, err
	}
	for _, run := range m.t.Store.Collection("Plate", plate.ID, "plateAcquisitions") {
		parts = append(parts, run)
		if m.chance(2) {
			if err := edit(run, "plate"); err != nil {
				return nil, nil, err
			}
		}
	}
	for _, well := range m.t.Store.Collection("Plate", plate.ID, "wells") {
		parts = append(parts, well)
		if m.chance(2) {
			if err := edit(well, "plate", "row", "column"); err != nil {
				return nil, nil, err
			}
		}
		for _, r := range reagents {
			if m.chance(3) {
				if err := m.link("WellReagentLink", well, r); err != nil {
					return nil, nil, err
				}
			}
		}
		for _, field := range m.t.Store.Collection("Well", well.ID, "wellSamples") {
			images = append(images, m.t.Store.Get("Image", field.Ref("image")))
			if m.chance(2) {
				if err := edit(field, "well", "image", "plateAcquisition"); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	return parts, images, nil
}
