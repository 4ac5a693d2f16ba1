package omeroview

import (
	"cmp"
	"context"
	"reflect"
	"slices"

	"omerods/internal/omero"
	"omerods/internal/pack"
)

// pixels changes what differs of the pixels and their channels, but for what
// only their files decide.
func (r *restorer) pixels(want *pack.Pixels, now *omero.PixelsSettings, instrument int64) {
	next := *now
	copyFields(&next, want)
	r.b.Change(omero.Existing(omero.KindPixels, now.ID)).Fields(now, next)
	for i := range min(len(want.Channels), len(now.Channels)) {
		r.channel(&want.Channels[i], &now.Channels[i], instrument)
	}
}

func (r *restorer) channel(want *pack.Channel, now *omero.ChannelSettings, instrument int64) {
	ref := omero.Existing(omero.KindChannel, now.ID)
	e := target{ref, r.b.Change(ref)}
	r.at[want.ID] = ref
	next := *now
	next.LookupTable = want.LookupTable
	if was := now.Color(); (was == nil) != (want.Color == nil) || was != nil && *was != *want.Color {
		next.Red, next.Green, next.Blue, next.Alpha = parts(want.Color)
	}
	e.edit.Fields(now, next)

	was, said := &now.Logical, *want
	said.ID, said.Color, said.LookupTable = "", nil, nil
	if first, shared := r.logical[was.ID]; shared && reflect.DeepEqual(first, said) {
		return
	} else if shared {
		was = new(omero.LogicalChannel) // what is said of the other channel does not hold for this one
	} else {
		r.logical[was.ID] = said
	}
	var lc omero.LogicalChannel
	copyFields(&lc, want)
	t := r.hold(e, "logicalChannel", omero.KindLogicalChannel, now.Logical.ID, was, &lc)
	r.optional(t, "filterSet", was.FilterSet, want.FilterSet, instrument)
	r.optional(t, "otf", was.OTF, want.OTF, instrument)
	r.detector(t, cmp.Or(was.Detector, new(omero.DetectorSettings)), want.Detector, instrument)
	r.light(t, cmp.Or(was.LightSettings, new(omero.LightSettings)), want.Light, instrument)
	r.lightPath(t, cmp.Or(was.LightPath, new(omero.LightPath)), want.LightPath, instrument)
}

// parts are those of a colour, nil for none.
func parts(color *int32) (red, green, blue, alpha *int) {
	if color == nil {
		return nil, nil, nil, nil
	}
	part := func(shift int) *int { return new(int(uint32(*color) >> shift & 255)) }
	return part(24), part(16), part(8), part(0)
}

// optional makes a member name a part of an instrument, or none.
func (r *restorer) optional(of target, member string, now int64, want pack.ID, instrument int64) {
	if want == "" {
		if of.edit != nil && now != 0 {
			of.edit.Refer(member, omero.Ref{}) // the part stays that of its instrument
		}
		return
	}
	r.part(of, member, now, want, instrument)
}

func (r *restorer) detector(of target, now *omero.DetectorSettings, want *pack.DetectorSettings, instrument int64) {
	if want == nil {
		r.hold(of, "detectorSettings", omero.KindDetectorSettings, now.ID, now, nil)
		return
	}
	var next omero.DetectorSettings
	copyFields(&next, want)
	t := r.hold(of, "detectorSettings", omero.KindDetectorSettings, now.ID, now, &next)
	r.part(t, "detector", now.Detector, want.Detector, instrument)
}

func (r *restorer) light(of target, now *omero.LightSettings, want *pack.LightSettings, instrument int64) {
	if want == nil {
		r.hold(of, "lightSourceSettings", omero.KindLightSettings, now.ID, now, nil)
		return
	}
	var next omero.LightSettings
	copyFields(&next, want)
	t := r.hold(of, "lightSourceSettings", omero.KindLightSettings, now.ID, now, &next)
	r.part(t, "lightSource", now.LightSource, want.LightSource, instrument)
}

// lightPath makes a new light path where the one of the import has other
// filters: only a new one can be told their order.
func (r *restorer) lightPath(of target, now *omero.LightPath, want *pack.LightPath, instrument int64) {
	if want == nil {
		r.hold(of, "lightPath", omero.KindLightPath, now.ID, now, nil)
		return
	}
	if now.ID != 0 && !(r.same(now.Excitation, want.Excitation, instrument) && r.same(now.Emission, want.Emission, instrument)) {
		r.spare[omero.KindLightPath] = append(r.spare[omero.KindLightPath], now.ID)
		now = new(omero.LightPath)
	}
	t := r.hold(of, "lightPath", omero.KindLightPath, now.ID, now, new(omero.LightPath))
	if want.ID != "" {
		r.note(want.ID, t.ref)
	}
	r.optional(t, "dichroic", now.Dichroic, want.Dichroic, instrument)
	if t.edit == nil {
		r.addFilters(t.ref, true, want.Excitation, instrument)
		r.addFilters(t.ref, false, want.Emission, instrument)
	}
}

// same says whether these are the filters that the pack wants, in its order.
func (r *restorer) same(now []int64, want []pack.ID, instrument int64) bool {
	return slices.EqualFunc(now, want, func(n int64, id pack.ID) bool {
		ref := r.partRef(id, instrument)
		return !ref.New() && ref.ID() == n
	})
}

func (r *restorer) addFilters(of omero.Ref, excitation bool, want []pack.ID, instrument int64) {
	for _, id := range want {
		r.b.Filter(of, r.partRef(id, instrument), excitation)
	}
}

// setFilters gives a filter set its filters.
func (r *restorer) setFilters(of target, excitation bool, now []int64, want []pack.ID) {
	if of.edit != nil {
		if r.same(now, want, 0) {
			return
		}
		if len(now) > 0 {
			r.drop[excitation] = append(r.drop[excitation], of.ref.ID())
		}
	}
	r.addFilters(of.ref, excitation, want, 0)
}

// planeAt is the place of a plane in an image.
type planeAt struct{ z, c, t int32 }

// planes makes the planes of images what the pack says, some at a time.
func (r *restorer) planes(ctx context.Context, todo []wanted, settings map[int64]*omero.ImageSettings) error {
	if !r.spec.Ours {
		return nil
	}
	ids := make([]int64, len(todo))
	for i, w := range todo {
		ids[i] = w.id
	}
	now, err := r.client.Planes(ctx, ids)
	if err != nil {
		return err
	}
	p := planeWriter{r: r, b: r.client.NewBatch()}
	for _, w := range todo {
		if im := settings[w.id]; im == nil || im.Pixels == nil || w.image.Pixels == nil {
			continue
		} else if err := p.image(ctx, omero.Existing(omero.KindPixels, im.Pixels.ID), cmp.Or(now[w.id], new(omero.PlanesOf)), w.image.Pixels.Planes); err != nil {
			return err
		}
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	return r.findPlanes(ctx, todo)
}

// findPlanes finds the new planes that something will be linked to.
func (r *restorer) findPlanes(ctx context.Context, todo []wanted) error {
	noted := make(map[int64]*pack.Pixels)
	var ids []int64
	for _, w := range todo {
		if w.image.Pixels != nil && len(w.image.Pixels.NotedPlanes) > 0 {
			noted[w.id], ids = w.image.Pixels, append(ids, w.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	now, err := r.client.Planes(ctx, ids)
	if err != nil {
		return err
	}
	for id, p := range noted {
		if now[id] == nil {
			continue
		}
		same := make(map[omero.Plane][]int64) // equal ones are as good as each other
		for i, pl := range now[id].Planes {
			same[pl] = append(same[pl], now[id].IDs[i])
		}
		for _, n := range p.NotedPlanes {
			pl := omero.Plane(p.Planes[n.Index])
			if found := same[pl]; len(found) > 0 {
				r.at[n.ID] = omero.Existing(omero.KindPlaneInfo, found[0])
				same[pl] = found[1:]
			}
		}
	}
	return nil
}

// planeWriter sends a batch whenever it is full.
type planeWriter struct {
	r      *restorer
	b      *omero.Batch
	doomed []int64
}

func (p *planeWriter) image(ctx context.Context, pixels omero.Ref, now *omero.PlanesOf, want []pack.Plane) error {
	left := make(map[planeAt][]int, len(now.Planes))
	for i, pl := range now.Planes {
		at := planeAt{pl.TheZ, pl.TheC, pl.TheT}
		left[at] = append(left[at], i)
	}
	for i := range want {
		next := omero.Plane(want[i])
		at := planeAt{next.TheZ, next.TheC, next.TheT}
		if have := left[at]; len(have) > 0 {
			left[at] = have[1:]
			if was := now.Planes[have[0]]; was != next {
				p.b.Change(omero.Existing(omero.KindPlaneInfo, now.IDs[have[0]])).Plane(was, next)
			}
		} else {
			p.b.Plane(pixels, next)
		}
		if p.b.Len() >= batchSize {
			if err := p.flush(ctx); err != nil {
				return err
			}
		}
	}
	for _, have := range left {
		for _, i := range have {
			p.doomed = append(p.doomed, now.IDs[i])
		}
	}
	if len(p.doomed) >= batchSize {
		return p.flush(ctx)
	}
	return nil
}

func (p *planeWriter) flush(ctx context.Context) error {
	if _, err := p.r.client.Save(ctx, p.b); err != nil {
		return err
	}
	p.b = p.r.client.NewBatch()
	if len(p.doomed) == 0 {
		return nil
	}
	_, err := p.r.client.Delete(ctx, map[omero.Kind][]int64{omero.KindPlaneInfo: p.doomed}, omero.DeleteOptions{})
	p.doomed = nil
	return err
}
