// Package wild fills the sandbox's OMERO server with random studies: shapes of
// data that people make without meaning to, and texts that break programs.
// Equal seeds give equal studies. Nothing is random about what OMERO allows:
// each study could have been made through its interface.
package wild

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/sample"
	"omerods/internal/sandbox/store"
)

// Config says what to make.
type Config struct {
	Seed uint64
	// Without names features to leave out; what the others make stays the same.
	Without map[string]bool
}

// The features of a study.
const (
	Notes       = "annotations"          // of all kinds on containers, images and regions
	MoreNotes   = "annotations anywhere" // on everything else that can carry them
	PartNotes   = "annotations of parts" // on channels and planes
	Regions     = "regions"
	Folders     = "folders"
	Rendering   = "rendering"
	Acquisition = "acquisition"
	Channels    = "channels"
	Others      = "other members"
	Nulls       = "nulls" // in place of values that are seldom missing
	Tagging     = "annotations of tags"
	Looks       = "rendering of others"
	Screens     = "screens and plates"
	Guests      = "objects of others"
)

// Object is one that can be saved.
type Object struct {
	Class string
	ID    int64
	Group string // the name of its group
}

// Study is what was made.
type Study struct {
	Projects []Object
	Orphans  []Object // datasets in no project
	Screens  []Object
	Plates   []Object // in no screen
}

// maker makes one study.
type maker struct {
	Config
	ctx    context.Context
	t      sample.Target
	r      *rand.Rand // of the feature that is being made
	actor  store.Actor
	other  store.Actor // another member of the group, who may annotate
	shared bool        // there is one

	containers []*store.Row // projects and datasets
	datasets   []*store.Row
	images     []*store.Row
	rois       []*store.Row
	shapes     []*store.Row
	notes      []*store.Row // but tags, which studies share
	tags       []*store.Row
	made       *Study
}

// Fill makes the study of a seed for the first user of the sample, in one of
// that user's groups.
func Fill(ctx context.Context, t sample.Target, c Config) (*Study, error) {
	m := &maker{Config: c, ctx: ctx, t: t, made: &Study{}}
	m.turn("people")
	if err := m.people(); err != nil {
		return nil, fmt.Errorf("study %d: people: %w", c.Seed, err)
	}
	for _, step := range []struct {
		feature string
		run     func() error
	}{
		{"containers", m.makeContainers}, {"images", m.makeImages}, {Channels, m.makeChannels}, {Regions, m.makeRegions},
		{Acquisition, m.makeAcquisition}, {Rendering, m.makeRendering}, {Folders, m.makeFolders}, {Notes, m.makeNotes},
		{MoreNotes, m.makeMoreNotes}, {PartNotes, m.makePartNotes}, {Others, m.makeOthers},
		{Nulls, m.makeNulls}, {Tagging, m.makeTagging}, {Looks, m.makeLooks},
		{Screens, m.makeScreens}, {Guests, m.makeGuests},
	} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if c.Without[step.feature] {
			continue
		}
		m.turn(step.feature)
		if err := step.run(); err != nil {
			return nil, fmt.Errorf("study %d: %s: %w", c.Seed, step.feature, err)
		}
	}
	return m.made, nil
}

// turn begins a feature, whose numbers do not depend on those of others.
func (m *maker) turn(feature string) {
	h := fnv.New64a()
	h.Write([]byte(feature))
	m.r = rand.New(rand.NewPCG(m.Seed, h.Sum64()))
}

// groups are those that studies are in: their names and permissions.
var groups = []struct {
	name string
	perm int64 // 0: made by the sample
}{{sample.LabGroup, 0}, {sample.PrivateGroup, 0}, {"wild read-only", -56}, {"wild read-write", -8}}

// people chooses the group, and makes it when it is new.
func (m *maker) people() error {
	g := groups[m.r.IntN(len(groups))]
	user := func(name string) *store.Row {
		return m.t.Store.Find("Experimenter", func(r *store.Row) bool { return r.Text("omeName") == name })
	}
	first, second := user("ada"), user("grace")
	if first == nil || second == nil {
		return fmt.Errorf("the users of the sample are missing")
	}
	group := m.t.Store.Find("ExperimenterGroup", func(r *store.Row) bool { return r.Text("name") == g.name })
	if group == nil {
		err := m.t.Store.Write(store.Root, func(a *store.Author) error {
			row := store.NewRow(a.Tx().Model().Class("ExperimenterGroup"))
			row.Perm = g.perm
			if err := a.Tx().Fill(row, store.Values{"name": g.name, "ldap": false}); err != nil {
				return err
			}
			group = a.Insert(row)
			for _, u := range []*store.Row{first, second} {
				if _, err := a.Create("GroupExperimenterMap", store.Values{"parent": group, "child": u, "owner": false}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	m.actor = store.Actor{User: first.ID, Group: group.ID}
	m.other = store.Actor{User: second.ID, Group: group.ID}
	m.shared = g.name == sample.LabGroup || g.name == "wild read-write"
	return nil
}

// create makes one object as the first user.
func (m *maker) create(class string, v store.Values) (*store.Row, error) {
	return m.createAs(m.actor, class, v)
}

func (m *maker) createAs(who store.Actor, class string, v store.Values) (row *store.Row, err error) {
	err = m.t.Store.Write(who, func(a *store.Author) error {
		row, err = a.Create(class, v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make a %s: %w", class, err)
	}
	return row, nil
}

// change sets members of an object.
func (m *maker) change(row *store.Row, v store.Values) error {
	return m.t.Store.Write(m.actor, func(a *store.Author) error {
		now := a.Tx().Get(row.Class, row.ID).Clone()
		if err := a.Tx().Fill(now, v); err != nil {
			return err
		}
		a.Update(now)
		return nil
	})
}

func (m *maker) link(class string, parent, child *store.Row) error {
	_, err := m.create(class, store.Values{"parent": parent, "child": child})
	return err
}

// into are settings that put the images of an import into a dataset, or
// nowhere.
func into(dataset *store.Row) repository.Settings {
	if dataset == nil {
		return repository.Settings{}
	}
	return repository.Settings{TargetClass: "Dataset", Target: dataset.ID}
}

// chance is true once in n times.
func (m *maker) chance(n int) bool { return m.r.IntN(n) == 0 }

func pick[T any](m *maker, list []T) T { return list[m.r.IntN(len(list))] }
