package omeroview

import (
	"context"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// findReagents looks for the reagents of wells whose screens are not in the
// pack, as in that of a plate alone. They exist still when the pack goes back
// to the server it is from: then the wells get the same ones.
func (f *finisher) findReagents(ctx context.Context) error {
	f.reagents = map[pack.ID]omero.Ref{}
	doc := f.spec.Document
	if len(doc.Reagents) == 0 || doc.Origin.Database == "" || doc.Origin.Database != f.client.Server().Database {
		return nil
	}
	known := map[int64]pack.ID{}
	var ids []int64
	for _, r := range doc.Reagents {
		if n, ok := r.ID.Number(); ok {
			known[n] = r.ID
			ids = append(ids, n)
		}
	}
	found, err := f.client.ReagentsByID(ctx, ids)
	if err != nil {
		return err
	}
	now := map[pack.ID]omero.Reagent{}
	for _, r := range found {
		now[known[r.ID]] = r
	}
	for _, r := range doc.Reagents {
		n, ok := now[r.ID]
		if ok && n.Group == f.group && n.Owner == f.client.Who().User && r.Screen == pack.NewID(pack.KindScreen, n.Screen) &&
			n.Name == r.Name && n.Description == r.Description && n.Identifier == r.Identifier {
			f.reagents[r.ID] = omero.Existing(omero.KindReagent, n.ID)
			f.reused[r.ID] = true // with the annotations that it has
		}
	}
	return nil
}

// screens adds to the commit the screens with their reagents and plates, and
// the reagents in the wells.
func (f *finisher) screens(b *omero.Batch, made map[pack.ID]omero.Ref) {
	doc := f.spec.Document
	for _, s := range doc.Screens {
		made[s.ID] = b.Screen(omero.Screen{
			Container: omero.Container{Name: f.nameOf(s.ID, s.Name, pack.KindScreen), Description: s.Description}, Type: s.Type,
			ProtocolIdentifier: s.ProtocolIdentifier, ProtocolDescription: s.ProtocolDescription,
			ReagentSetIdentifier: s.ReagentSetIdentifier, ReagentSetDescription: s.ReagentSetDescription,
		})
		for _, r := range s.Reagents {
			made[r.ID] = reagent(b, made[s.ID], r)
		}
		for _, id := range s.Plates {
			if plate, ok := f.parts.plates[id]; ok {
				b.Link(made[s.ID], omero.Existing(omero.KindPlate, plate))
			}
		}
	}
	f.otherReagents(b, made)
	for _, p := range doc.Plates {
		for _, w := range p.Wells {
			well, ok := f.parts.wells[w.ID]
			for _, id := range w.Reagents {
				r, there := made[id]
				if !there {
					r, there = f.reagents[id]
				}
				if ok && there {
					b.Link(omero.Existing(omero.KindWell, well), r)
				}
			}
		}
	}
}

// otherReagents makes those that are of screens outside the pack. OMERO has no
// reagent without a screen, so those of one screen get a new one, which holds
// nothing else.
func (f *finisher) otherReagents(b *omero.Batch, made map[pack.ID]omero.Ref) {
	screens := map[pack.ID]omero.Ref{}
	for _, r := range f.spec.Document.Reagents {
		if _, exists := f.reagents[r.ID]; exists {
			continue
		}
		screen, ok := screens[r.Screen]
		if !ok {
			screen = b.Screen(omero.Screen{Container: omero.Container{
				Name: "Reagents of " + f.topName(), Description: "Made by omerods for the reagents in the wells of a plate that was loaded without its screen.",
			}})
			screens[r.Screen] = screen
		}
		made[r.ID] = reagent(b, screen, r)
	}
}

// topName is the name of what is loaded.
func (f *finisher) topName() string {
	if f.spec.TopName != "" {
		return f.spec.TopName
	}
	return f.spec.Document.Origin.Name
}

func reagent(b *omero.Batch, screen omero.Ref, r pack.Reagent) omero.Ref {
	return b.Reagent(screen, omero.Reagent{Name: r.Name, Identifier: r.Identifier, Description: r.Description})
}

// recorded lists what exists before the commit and gets its record: plates that
// are in no screen of the pack, or else the images.
func (f *finisher) recorded() []omero.Ref {
	in := map[pack.ID]bool{}
	for _, s := range f.spec.Document.Screens {
		for _, id := range s.Plates {
			in[id] = true
		}
	}
	var list []omero.Ref
	for _, p := range f.spec.Document.Plates {
		if id, ok := f.parts.plates[p.ID]; ok && !in[p.ID] {
			list = append(list, omero.Existing(omero.KindPlate, id))
		}
	}
	if list == nil {
		for _, id := range f.images() {
			list = append(list, omero.Existing(omero.KindImage, id))
		}
	}
	return list
}
