package repository

import (
	"strings"

	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// instruments makes the instruments and experiments of the files.
func (p *parts) instruments() error {
	for i := range p.set.Instruments {
		if err := p.instrument(&p.set.Instruments[i]); err != nil {
			return err
		}
	}
	for i := range p.set.Experiments {
		e := &p.set.Experiments[i]
		v := store.Values{}
		if d := e.Child("Description"); d != nil {
			v["description"] = strings.TrimSpace(d.Text)
		}
		// The schema has a list of types, the model one.
		if list := strings.Fields(e.Attr("Type")); len(list) > 0 {
			v["type"] = p.enum(p.a.Tx().Model().Class("Experiment").Property("type"), list[0])
		}
		row, err := p.make("Experiment", e, v)
		if err != nil {
			return err
		}
		p.rows[e.Attr("ID")] = row
	}
	return nil
}

// instrument makes an instrument with its parts. Filter sets come last: they
// refer to the filters that the schema has behind them.
func (p *parts) instrument(e *imaging.Element) error {
	v := store.Values{}
	if m := e.Child("Microscope"); m != nil {
		row, err := p.make("Microscope", m, nil)
		if err != nil {
			return err
		}
		v["microscope"] = row
	}
	instrument, err := p.make("Instrument", e, v)
	if err != nil {
		return err
	}
	p.rows[e.Attr("ID")] = instrument
	pumps := make(map[*store.Row]string)
	for i := range e.Children {
		part := &e.Children[i]
		if name := part.Name(); name == "FilterSet" || name == "Microscope" {
			continue
		}
		row, err := p.part(instrument, part)
		if err != nil {
			return err
		}
		if pump := part.Child("Pump"); pump != nil && row != nil && row.Class.Property("pump") != nil {
			pumps[row] = pump.Attr("ID")
		}
	}
	for row, id := range pumps {
		pump := p.rows[id]
		if pump == nil {
			continue
		}
		changed := row.Clone()
		if err := p.a.Tx().Fill(changed, store.Values{"pump": pump}); err != nil {
			return err
		}
		p.a.Update(changed)
	}
	for i := range e.Children {
		if s := &e.Children[i]; s.Name() == "FilterSet" {
			if err := p.filterSet(instrument, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// part makes a part of an instrument; nil for what is none.
func (p *parts) part(instrument *store.Row, e *imaging.Element) (*store.Row, error) {
	class := p.a.Tx().Model().Class(e.Name())
	if class == nil || class.Abstract || class.Property("instrument") == nil {
		return nil, nil
	}
	v := store.Values{"instrument": instrument}
	if t := e.Child("TransmittanceRange"); t != nil && class.Property("transmittanceRange") != nil {
		row, err := p.make("TransmittanceRange", t, nil)
		if err != nil {
			return nil, err
		}
		v["transmittanceRange"] = row
	}
	row, err := p.make(class.Name, e, v)
	if err != nil {
		return nil, err
	}
	p.rows[e.Attr("ID")] = row
	return row, nil
}

func (p *parts) filterSet(instrument *store.Row, e *imaging.Element) error {
	v := store.Values{"instrument": instrument}
	for _, id := range e.Refs("DichroicRef") {
		p.refer(v, "dichroic", id)
	}
	set, err := p.make("FilterSet", e, v)
	if err != nil {
		return err
	}
	p.rows[e.Attr("ID")] = set
	return p.filters("FilterSet", set, e)
}

// filters links the filters of a set or path, in their order.
func (p *parts) filters(class string, of *store.Row, e *imaging.Element) error {
	for _, kind := range []string{"ExcitationFilter", "EmissionFilter"} {
		for _, id := range e.Refs(kind + "Ref") {
			if filter := p.rows[id]; filter != nil {
				if _, err := p.a.Create(class+kind+"Link", store.Values{"parent": of, "child": filter}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
