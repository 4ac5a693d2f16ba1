package omeroview

import (
	"context"

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
func (a *account) gatherTaken(ctx context.Context, images []int64) (t taken, err error) {
	if t.images, err = a.c.ImageSettings(ctx, images); err != nil {
		return t, err
	}
	var experiments []int64
	for i := range t.images {
		experiments = append(experiments, t.images[i].Experiment)
	}
	if t.experiments, err = a.c.Experiments(ctx, experiments); err != nil {
		return t, err
	}
	if t.instruments, err = a.c.Instruments(ctx, t.instrumentIDs()); err != nil {
		return t, err
	}
	t.planes, err = a.c.Planes(ctx, images)
	return t, err
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
