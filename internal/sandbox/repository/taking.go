package repository

import (
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// taken adds to the values of an image how it was taken.
func (p *parts) taken(v store.Values, t *imaging.Taking) (err error) {
	p.refer(v, "instrument", t.Instrument)
	p.refer(v, "experiment", t.Experiment)
	if v["objectiveSettings"], err = p.settings("ObjectiveSettings", "objective", t.Objective); err != nil {
		return err
	}
	if t.Environment != nil {
		if v["imagingEnvironment"], err = p.make("ImagingEnvironment", t.Environment, nil); err != nil {
			return err
		}
	}
	if t.Stage != nil && t.Stage.Attr("Name") != "" {
		v["stageLabel"], err = p.make("StageLabel", t.Stage, nil)
	}
	return err
}

// settings makes those of a part, which their element names by its id; nil for
// no element, or one of no part.
func (p *parts) settings(class, member string, e *imaging.Element) (any, error) {
	if e == nil || p.rows[e.Attr("ID")] == nil {
		return nil, nil
	}
	return p.make(class, e, store.Values{member: p.rows[e.Attr("ID")]})
}

// channel adds to the values of a logical channel how it was taken.
func (p *parts) channel(v store.Values, ch *imaging.Channel) (err error) {
	if ch.More != nil {
		more, err := p.values("LogicalChannel", ch.More)
		if err != nil {
			return err
		}
		for name, value := range more {
			v[name] = value
		}
	}
	if v["detectorSettings"], err = p.settings("DetectorSettings", "detector", ch.Detector); err != nil {
		return err
	}
	if v["lightSourceSettings"], err = p.settings("LightSettings", "lightSource", ch.Light); err != nil {
		return err
	}
	p.refer(v, "filterSet", ch.FilterSet)
	if e := ch.LightPath; e != nil {
		of := store.Values{}
		for _, id := range e.Refs("DichroicRef") {
			p.refer(of, "dichroic", id)
		}
		path, err := p.make("LightPath", e, of)
		if err != nil {
			return err
		}
		v["lightPath"] = path
		return p.filters("LightPath", path, e)
	}
	return nil
}

// planes makes those of pixels of which anything is known but their place.
func (p *parts) planes(pixels *store.Row, planes []imaging.Element) error {
	for i := range planes {
		e := &planes[i]
		known := len(e.Refs("AnnotationRef")) > 0
		for _, name := range []string{"DeltaT", "ExposureTime", "PositionX", "PositionY", "PositionZ"} {
			known = known || e.Attr(name) != ""
		}
		if !known {
			continue
		}
		if _, err := p.make("PlaneInfo", e, store.Values{"pixels": pixels}); err != nil {
			return err
		}
	}
	return nil
}
