package wild

import (
	"slices"

	"omerods/internal/sandbox/store"
)

// shapeKinds are all classes of shapes.
func (m *maker) shapeKinds() (kinds []string) {
	for _, c := range m.t.Store.Model().Class("Shape").Subclasses() {
		kinds = append(kinds, c.Name)
	}
	slices.Sort(kinds)
	return kinds
}

// makeRegions draws on images: shapes of every kind with every member, also
// regions without any shape.
func (m *maker) makeRegions() error {
	kinds := m.shapeKinds()
	for _, image := range m.images {
		if m.chance(2) {
			continue
		}
		for range m.r.IntN(4) {
			roi, err := m.create("Roi", m.fill("Roi", store.Values{"image": image}))
			if err != nil {
				return err
			}
			m.rois = append(m.rois, roi)
			for range m.r.IntN(4) {
				if err := m.shape(roi, pick(m, kinds)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (m *maker) shape(roi *store.Row, kind string) error {
	fixed := store.Values{"roi": roi, "points": m.points(), "transform": "-"}
	for _, plane := range []string{"theZ", "theT", "theC"} {
		fixed[plane] = m.r.IntN(3)
		if m.chance(2) {
			fixed[plane] = "-"
		}
	}
	if kind == "Mask" {
		bits := make([]byte, 1+m.r.IntN(30))
		for i := range bits {
			bits[i] = byte(m.r.IntN(256))
		}
		fixed["bytes"], fixed["pixels"] = bits, "-"
	}
	c := m.t.Store.Model().Class(kind)
	for name := range fixed {
		if p := c.Property(name); p == nil || !p.Stored() {
			delete(fixed, name)
		}
	}
	if m.chance(3) {
		t, err := m.create("AffineTransform", m.fill("AffineTransform", nil))
		if err != nil {
			return err
		}
		fixed["transform"] = t
	}
	s, err := m.create(kind, m.fill(kind, fixed))
	if err != nil {
		return err
	}
	m.shapes = append(m.shapes, s)
	return nil
}

// makeFolders puts regions into folders, which are in folders.
func (m *maker) makeFolders() error {
	if len(m.rois) == 0 || m.chance(2) {
		return nil
	}
	var folders []*store.Row
	for range 1 + m.r.IntN(3) {
		fixed := store.Values{"parentFolder": "-"}
		if len(folders) > 0 && m.chance(2) {
			fixed["parentFolder"] = pick(m, folders)
		}
		f, err := m.create("Folder", m.fill("Folder", fixed))
		if err != nil {
			return err
		}
		folders = append(folders, f)
	}
	for _, roi := range m.rois {
		if m.chance(2) {
			if err := m.link("FolderRoiLink", pick(m, folders), roi); err != nil {
				return err
			}
		}
	}
	return nil
}
