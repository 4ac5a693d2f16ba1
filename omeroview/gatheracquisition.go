package omeroview

import (
	"context"
	"maps"

	"omerods/internal/omero"
)

// taken is how the images of a pack were taken.
type taken struct {
	images      []omero.ImageSettings
	instruments []omero.Instrument
	experiments []omero.Experiment
	planes      map[int64]*omero.PlanesOf // by image; nil when described
}

// gatherTaken asks how images were taken. An instrument that many images
// share, or that only a setting names, is asked for once.
func (a *account) gatherTaken(ctx context.Context, g *gathered) (err error) {
	t := &g.taken
	if t.images, err = a.c.SettingsOf(ctx, g.images()); err != nil {
		return err
	}
	more, err := a.c.ImageSettings(ctx, imageIDs(g.others))
	if err != nil {
		return err
	}
	t.images = append(t.images, more...)
	var experiments []int64
	for i := range t.images {
		experiments = append(experiments, t.images[i].Experiment)
	}
	if t.experiments, err = a.c.Experiments(ctx, experiments); err != nil {
		return err
	}
	if t.instruments, err = a.c.Instruments(ctx, t.whichInstruments(g)); err != nil {
		return err
	}
	if t.planes, err = a.c.PlanesIn(ctx, g.images()); err != nil {
		return err
	}
	others, err := a.c.Planes(ctx, imageIDs(g.others))
	if err != nil {
		return err
	}
	if t.planes == nil {
		t.planes = others
	} else {
		maps.Copy(t.planes, others)
	}
	return nil
}

// whichInstruments are those that images and their settings name: usually the
// images' own, all of them and no others.
func (t *taken) whichInstruments(g *gathered) omero.Selection {
	named := t.instrumentIDs()
	own := make(map[int64]bool)
	for i := range t.images {
		own[t.images[i].Instrument] = true
	}
	for _, id := range named {
		if id != 0 && !own[id] || len(g.others) > 0 {
			return omero.These(named)
		}
	}
	return g.all(omero.KindInstrument, named)
}

// instrumentIDs are the instruments that images and their settings name, with
// repetitions.
func (t *taken) instrumentIDs() (ids []int64) {
	for i := range t.images {
		im := &t.images[i]
		ids = append(ids, im.Instrument)
		if im.Objective != nil {
			ids = append(ids, im.Objective.Instrument)
		}
		if im.Pixels == nil {
			continue
		}
		for j := range im.Pixels.Channels {
			l := &im.Pixels.Channels[j].Logical
			ids = append(ids, l.FilterSetOf, l.OTFOf)
			if l.Detector != nil {
				ids = append(ids, l.Detector.Instrument)
			}
			if l.LightSettings != nil {
				ids = append(ids, l.LightSettings.Instrument)
			}
			if l.LightPath != nil {
				ids = append(ids, l.LightPath.Instruments...)
			}
		}
	}
	for i := range t.experiments {
		for _, m := range t.experiments[i].Manipulations {
			for _, l := range m.Lights {
				ids = append(ids, l.Instrument)
			}
		}
	}
	return ids
}

// notable is a part of how an image was taken that may have annotations.
type notable struct {
	kind omero.Kind
	id   int64
}

// notable lists the channels and light paths of an image, its instrument and
// the parts of that.
func (t *taken) notable(im *omero.ImageSettings, instruments map[int64]*omero.Instrument) (list []notable) {
	if im.Pixels != nil {
		for i := range im.Pixels.Channels {
			ch := &im.Pixels.Channels[i]
			list = append(list, notable{omero.KindChannel, ch.ID})
			if p := ch.Logical.LightPath; p != nil {
				list = append(list, notable{omero.KindLightPath, p.ID})
			}
		}
	}
	in := instruments[im.Instrument]
	if in == nil {
		return list
	}
	list = append(list, notable{omero.KindInstrument, in.ID})
	for i := range in.Objectives {
		list = append(list, notable{omero.KindObjective, in.Objectives[i].ID})
	}
	for i := range in.Detectors {
		list = append(list, notable{omero.KindDetector, in.Detectors[i].ID})
	}
	for i := range in.LightSources {
		list = append(list, notable{omero.KindLightSource, in.LightSources[i].ID})
	}
	for i := range in.Filters {
		list = append(list, notable{omero.KindFilter, in.Filters[i].ID})
	}
	for i := range in.Dichroics {
		list = append(list, notable{omero.KindDichroic, in.Dichroics[i].ID})
	}
	return list
}

// instrumentsByID finds the instruments.
func (t *taken) instrumentsByID() map[int64]*omero.Instrument {
	m := make(map[int64]*omero.Instrument, len(t.instruments))
	for i := range t.instruments {
		m[t.instruments[i].ID] = &t.instruments[i]
	}
	return m
}

// annotated lists what of the images may have annotations, apart from planes.
func (t *taken) annotated(shown []omero.Image) (list []parents) {
	in := make(map[int64]bool, len(shown))
	for _, im := range shown {
		in[im.ID] = true
	}
	instruments, seen, ids := t.instrumentsByID(), make(map[notable]bool), make(map[omero.Kind][]int64)
	for i := range t.images {
		if !in[t.images[i].ID] {
			continue
		}
		for _, n := range t.notable(&t.images[i], instruments) {
			if !seen[n] {
				seen[n] = true
				ids[n.kind] = append(ids[n.kind], n.id)
			}
		}
	}
	for _, kind := range partKinds {
		if len(ids[kind]) > 0 {
			list = append(list, parents{kind, ids[kind]})
		}
	}
	return list
}

// partKinds are the kinds of parts of how an image was taken that may have
// annotations, apart from planes.
var partKinds = []omero.Kind{omero.KindChannel, omero.KindLightPath, omero.KindInstrument, omero.KindObjective, omero.KindDetector,
	omero.KindLightSource, omero.KindFilter, omero.KindDichroic}
