package wild

import (
	"slices"

	"omerods/internal/sandbox/store"
)

// makeGuests puts images and datasets of another member into the first one's
// datasets and projects, in a group whose members may write in each other's.
func (m *maker) makeGuests() error {
	group := m.t.Store.Get("ExperimenterGroup", m.actor.Group)
	if group.Text("name") != "wild read-write" || len(m.datasets) == 0 {
		return nil
	}
	host := m.actor
	m.actor = m.other
	defer func() { m.actor = host }()
	for _, p := range m.containers[:len(m.made.Projects)] {
		if m.chance(2) {
			continue
		}
		d, err := m.create("Dataset", m.fill("Dataset", nil))
		if err != nil {
			return err
		}
		m.datasets = append(m.datasets, d)
		if err := m.link("ProjectDatasetLink", p, d); err != nil {
			return err
		}
	}
	// The host's images in the guest's datasets, too.
	for _, image := range m.images {
		if d := pick(m, m.datasets); m.chance(3) && !m.holds(d, image) {
			if err := m.link("DatasetImageLink", d, image); err != nil {
				return err
			}
		}
	}
	for range 1 + m.r.IntN(2) {
		made, err := m.fileset()
		if err != nil {
			return err
		}
		for _, id := range made {
			image := m.t.Store.Get("Image", id)
			if err := m.link("DatasetImageLink", pick(m, m.datasets), image); err != nil {
				return err
			}
			if m.chance(2) {
				if err := m.annotate(host, image, pick(m, m.noteKinds())); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// holds tells whether an image is in a dataset already.
func (m *maker) holds(dataset, image *store.Row) bool {
	return slices.ContainsFunc(m.t.Store.Collection("Dataset", dataset.ID, "imageLinks"), func(l *store.Row) bool { return l.Ref("child") == image.ID })
}
