package wild

import (
	"omerods/internal/sandbox/store"
)

// makeContainers makes projects with datasets, some of them shared, and
// datasets in no project.
func (m *maker) makeContainers() error {
	g := m.t.Store.Get("ExperimenterGroup", m.actor.Group).Text("name")
	var projects []*store.Row
	for range 1 + m.r.IntN(2) {
		p, err := m.create("Project", m.fill("Project", nil))
		if err != nil {
			return err
		}
		projects = append(projects, p)
		m.made.Projects = append(m.made.Projects, Object{"Project", p.ID, g})
	}
	m.containers = append(m.containers, projects...)
	for range 1 + m.r.IntN(4) {
		d, err := m.create("Dataset", m.fill("Dataset", nil))
		if err != nil {
			return err
		}
		m.datasets = append(m.datasets, d)
		alone := true
		for _, p := range projects {
			if m.chance(2) {
				alone = false
				if err := m.link("ProjectDatasetLink", p, d); err != nil {
					return err
				}
			}
		}
		if alone {
			m.made.Orphans = append(m.made.Orphans, Object{"Dataset", d.ID, g})
		}
	}
	m.containers = append(m.containers, m.datasets...)
	return nil
}
