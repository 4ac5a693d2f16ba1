package omeroview

import (
	"cmp"
	"context"
	"slices"

	"omerods/internal/omero"
)

// gatheredPlates is what a screen or a plate has besides its images. A nil one
// is that of a pack without plates.
type gatheredPlates struct {
	screen   *omero.Screen // nil for a plate alone
	plates   []omero.Plate // by id
	runs     []omero.Run
	wells    []omero.Well
	fields   []omero.Field
	reagents []omero.Reagent // of the screen, and what else the wells hold
	held     []omero.Child   // reagents in wells
}

// gatherPlates asks for the plates of a screen or for one plate, with all in
// them. The number of queries does not depend on how much that is, up to 1000
// plates.
func (a *account) gatherPlates(ctx context.Context, g *gathered) (err error) {
	p := &gatheredPlates{}
	g.plates = p
	id := []int64{g.ref.id}
	if g.ref.kind == omero.KindScreen {
		screens, err := a.c.Screens(ctx, id)
		if err != nil {
			return err
		}
		if len(screens) == 0 {
			return errChanged
		}
		p.screen = &screens[0]
		if p.plates, _, err = a.c.PlatesOf(ctx, id); err != nil {
			return err
		}
		if p.reagents, err = a.c.ReagentsOf(ctx, id); err != nil {
			return err
		}
	} else if p.plates, err = a.c.Plates(ctx, id); err != nil {
		return err
	}
	slices.SortFunc(p.plates, func(x, y omero.Plate) int { return cmp.Compare(x.ID, y.ID) })
	ids := idsOf(plateContainers(p.plates))
	if p.runs, err = a.c.RunsOf(ctx, ids); err != nil {
		return err
	}
	if p.wells, err = a.c.WellsOf(ctx, ids); err != nil {
		return err
	}
	if p.fields, err = a.c.FieldsOf(ctx, ids); err != nil {
		return err
	}
	if p.held, err = a.c.ReagentsInWells(ctx, ids); err != nil {
		return err
	}
	if err = a.gatherReagents(ctx, p); err != nil {
		return err
	}
	g.shown, g.members, err = a.c.ImagesOfPlates(ctx, ids)
	return err
}

// gatherReagents asks for the reagents in wells that are not the screen's.
func (a *account) gatherReagents(ctx context.Context, p *gatheredPlates) error {
	known := make(map[int64]bool, len(p.reagents))
	for _, r := range p.reagents {
		known[r.ID] = true
	}
	var others []int64
	for _, h := range p.held {
		if !known[h.ID] {
			others = append(others, h.ID)
		}
	}
	more, err := a.c.ReagentsByID(ctx, others)
	p.reagents = append(p.reagents, more...)
	return err
}

// annotated lists what of the plates may have annotations.
func (p *gatheredPlates) annotated() []parents {
	if p == nil {
		return nil
	}
	list := []parents{{kind: omero.KindPlate, ids: idsOf(plateContainers(p.plates))}, {kind: omero.KindRun}, {kind: omero.KindWell}, {kind: omero.KindReagent}}
	for _, r := range p.runs {
		list[1].ids = append(list[1].ids, r.ID)
	}
	for _, w := range p.wells {
		list[2].ids = append(list[2].ids, w.ID)
	}
	for _, r := range p.reagents {
		list[3].ids = append(list[3].ids, r.ID)
	}
	if p.screen != nil {
		list = append(list, parents{omero.KindScreen, []int64{p.screen.ID}})
	}
	return list
}

// people hands on who owns what.
func (p *gatheredPlates) people(add func(omero.Meta)) {
	if p == nil {
		return
	}
	for _, o := range p.plates {
		add(o.Meta)
	}
	for _, o := range p.runs {
		add(o.Meta)
	}
	for _, o := range p.wells {
		add(o.Meta)
	}
	for _, o := range p.reagents {
		add(o.Meta)
	}
}
