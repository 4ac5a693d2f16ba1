package omero

import (
	"context"
	"slices"
)

// channelJobs are the queries about pixels and channels.
func (r *settingsReader) channelJobs() []func(context.Context) error {
	const channels = "Pixels p join p.channels c join c.logicalChannel lc"
	const where = "p.image.id in (:ids)"
	// Channels may share what they name: it comes once for each of them.
	of := func(class, from, more string) mappedQuery {
		return mappedQuery{class: class, lead: "lc.id" + more, from: channels + from, where: where, order: "lc.id, c.id", counted: class}
	}
	return []func(context.Context) error{
		func(ctx context.Context) error {
			q := mappedQuery{class: "Pixels", lead: "o.image.id", from: "Pixels o", where: "o.image.id in (:ids)", order: "o.image.id, o.id", counted: "Pixels"}
			return mapped(ctx, r.c, q, r.images, func(lead row, v PixelsSettings) {
				if r.pixels[lead.id(0)] == nil {
					r.pixels[lead.id(0)] = &v
				}
			})
		},
		func(ctx context.Context) error {
			q := mappedQuery{class: "Channel", lead: "p.image.id, p.id, index(o)", from: "Pixels p join p.channels o", where: where, order: "p.image.id, p.id, index(o)",
				counted: "Channel"}
			return mapped(ctx, r.c, q, r.images, func(lead row, v ChannelSettings) {
				r.channels = append(r.channels, channelOf{pixels: lead.id(1), image: lead.id(0), channel: v})
			})
		},
		func(ctx context.Context) error {
			q := mappedQuery{class: "LogicalChannel", lead: "o.id, fs.instrument.id, t.instrument.id", where: where, order: "o.id, c.id", counted: "LogicalChannel",
				from: "Pixels p join p.channels c join c.logicalChannel o left outer join o.filterSet fs left outer join o.otf t"}
			return mapped(ctx, r.c, q, r.images, func(lead row, v LogicalChannel) {
				v.FilterSetOf, v.OTFOf = lead.id(1), lead.id(2)
				r.logical[v.ID] = v
			})
		},
		func(ctx context.Context) error {
			q := of("DetectorSettings", " join lc.detectorSettings o join o.detector x", ", x.instrument.id")
			return mapped(ctx, r.c, q, r.images, func(lead row, v DetectorSettings) {
				v.Instrument = lead.id(1)
				r.detectors[lead.id(0)] = v
			})
		},
		func(ctx context.Context) error {
			q := of("LightSettings", " join lc.lightSourceSettings o join o.lightSource x", ", x.instrument.id")
			return mapped(ctx, r.c, q, r.images, func(lead row, v LightSettings) {
				v.Instrument = lead.id(1)
				r.lights[lead.id(0)] = v
			})
		},
		func(ctx context.Context) error {
			q := of("LightPath", " join lc.lightPath o left outer join o.dichroic x", ", x.instrument.id")
			return mapped(ctx, r.c, q, r.images, func(lead row, v LightPath) {
				if n := lead.id(1); n != 0 {
					v.Instruments = []int64{n}
				}
				r.paths[lead.id(0)] = v
			})
		},
		func(ctx context.Context) error { return r.pathFilters(ctx, true, r.excitation, r.exciters) },
		func(ctx context.Context) error { return r.pathFilters(ctx, false, r.emission, r.emitters) },
	}
}

// pathFilters reads the filters of light paths, and their instruments.
func (r *settingsReader) pathFilters(ctx context.Context, excitation bool, found, instruments map[int64][]int64) error {
	member, order, counted := "emissionFilterLink", "l.id", string(filterLink(KindLightPath, excitation))
	if excitation {
		member, order = "excitationFilterLink", "index(l)"
	}
	rows, err := r.c.rowsOf(ctx, `select o.id, l.child.id, f.instrument.id, l.id, c.id, `+order+` from Pixels p join p.channels c join c.logicalChannel lc `+
		`join lc.lightPath o join o.`+member+` l join l.child f where p.image.id in (:ids) order by o.id, c.id, `+order, r.images, counted)
	if err != nil {
		return err
	}
	seen := make(map[int64]bool, len(rows))
	for _, row := range rows {
		if !seen[row.id(3)] {
			seen[row.id(3)] = true
			found[row.id(0)] = append(found[row.id(0)], row.id(1))
			instruments[row.id(0)] = append(instruments[row.id(0)], row.id(2))
		}
	}
	return nil
}

// join puts together what several queries said of one channel.
func (r *settingsReader) join() {
	for id, l := range r.logical {
		if v, ok := r.detectors[id]; ok {
			l.Detector = &v
		}
		if v, ok := r.lights[id]; ok {
			l.LightSettings = &v
		}
		if v, ok := r.paths[id]; ok {
			v.Excitation, v.Emission = r.excitation[v.ID], r.emission[v.ID]
			v.Instruments = unique(slices.Concat(v.Instruments, r.exciters[v.ID], r.emitters[v.ID]))
			l.LightPath = &v
		}
		r.logical[id] = l
	}
	for _, ch := range r.channels {
		if p := r.pixels[ch.image]; p != nil && p.ID == ch.pixels {
			ch.channel.Logical = r.logical[ch.channel.LogicalID]
			p.Channels = append(p.Channels, ch.channel)
		}
	}
}

// Experiments describes experiments.
func (c *Client) Experiments(ctx context.Context, ids []int64) ([]Experiment, error) {
	ids = unique(ids)
	if len(ids) == 0 {
		return nil, nil
	}
	var list []Experiment
	manipulations, lights := make(map[int64][]Manipulation), make(map[int64][]LightSettings)
	err := together(ctx, func(ctx context.Context) error {
		q := mappedQuery{class: "Experiment", lead: "o.id", from: "Experiment o", where: "o.id in (:ids)", order: "o.id"}
		return mapped(ctx, c, q, These(ids), func(_ row, v Experiment) { list = append(list, v) })
	}, func(ctx context.Context) error {
		q := mappedQuery{class: "MicrobeamManipulation", lead: "o.experiment.id", from: "MicrobeamManipulation o",
			where: "o.experiment.id in (:ids)", order: "o.experiment.id, o.id"}
		return mapped(ctx, c, q, These(ids), func(lead row, v Manipulation) {
			manipulations[lead.id(0)] = append(manipulations[lead.id(0)], v)
		})
	}, func(ctx context.Context) error {
		q := mappedQuery{class: "LightSettings", lead: "m.id, x.instrument.id", where: "m.experiment.id in (:ids)", order: "m.id, o.id",
			from: "LightSettings o join o.microbeamManipulation m join o.lightSource x"}
		return mapped(ctx, c, q, These(ids), func(lead row, v LightSettings) {
			v.Instrument = lead.id(1)
			lights[lead.id(0)] = append(lights[lead.id(0)], v)
		})
	})
	if err != nil {
		return nil, err
	}
	for n := range list {
		list[n].Manipulations = manipulations[list[n].ID]
		for k := range list[n].Manipulations {
			m := &list[n].Manipulations[k]
			m.Lights = lights[m.ID]
		}
	}
	return list, nil
}
