package omero

import "omerods/internal/ice"

// NewField is a field of a new well. Of the Field only its position and time
// count; its place in the well is that in the list.
type NewField struct {
	Field
	Image Ref
	Run   Ref // the zero Ref for none
}

// Plate adds a new plate without wells.
func (b *Batch) Plate(p Plate) Ref {
	o := b.c.fresh(string(KindPlate))
	b.c.setPlate(o, p)
	return b.add(string(KindPlate), o, nil)
}

// Run adds a new run to a plate.
func (b *Batch) Run(plate Ref, r Run) Ref {
	if b.err != nil {
		return Ref{kind: string(KindRun)}
	}
	o := b.c.fresh(string(KindRun)).Set("plate", b.c.object(plate))
	b.c.setRun(o, r)
	return b.add(string(KindRun), o, nil)
}

// Well adds a new well to a plate, with its fields in their order. A field
// cannot be added later: the server takes one only with the list of its well.
func (b *Batch) Well(plate Ref, w Well, fields []NewField) Ref {
	if b.err != nil {
		return Ref{kind: string(KindWell)}
	}
	c := b.c
	o := c.fresh(string(KindWell)).Set("plate", c.object(plate)).
		Set("row", c.rint(w.Row)).Set("column", c.rint(w.Column))
	c.setWell(o, w)
	list := make([]any, len(fields))
	for i, f := range fields {
		ws := c.fresh("WellSample").Set("well", o).Set("image", c.object(f.Image))
		c.setField(ws, f.Field)
		if f.Run != (Ref{}) {
			ws.Set("plateAcquisition", c.object(f.Run))
		}
		list[i] = ws
	}
	return b.add(string(KindWell), o.Set("wellSamplesSeq", list).Set("wellSamplesLoaded", true), nil)
}

func (c *Client) setPlate(o *ice.Object, p Plate) {
	o.Set("name", c.rstring(p.Name)).Set("description", c.optional(p.Description)).
		Set("rows", c.optionalInt(p.Rows)).Set("columns", c.optionalInt(p.Columns)).
		Set("rowNamingConvention", c.optional(p.RowNaming)).Set("columnNamingConvention", c.optional(p.ColumnNaming)).
		Set("wellOriginX", c.length(p.OriginX)).Set("wellOriginY", c.length(p.OriginY)).
		Set("defaultSample", c.optionalInt(p.DefaultField)).
		Set("status", c.optional(p.Status)).Set("externalIdentifier", c.optional(p.ExternalIdentifier))
}

func (c *Client) setRun(o *ice.Object, r Run) {
	o.Set("name", c.optional(r.Name)).Set("description", c.optional(r.Description)).
		Set("startTime", c.optionalTime(r.Start)).Set("endTime", c.optionalTime(r.End)).
		Set("maximumFieldCount", c.optionalInt(r.MaximumFields))
}

// setWell sets all of a well but its place.
func (c *Client) setWell(o *ice.Object, w Well) {
	o.Set("type", c.optional(w.Type)).Set("status", c.optional(w.Status)).
		Set("externalIdentifier", c.optional(w.ExternalIdentifier)).Set("externalDescription", c.optional(w.ExternalDescription))
	for i, part := range []string{"red", "green", "blue", "alpha"} {
		if w.Color == nil {
			o.Set(part, nil)
		} else {
			o.Set(part, c.rint(int(uint32(*w.Color)>>(24-8*i)&0xff)))
		}
	}
}

// setField sets the position and the time of a well sample.
func (c *Client) setField(o *ice.Object, f Field) {
	o.Set("posX", c.length(f.X)).Set("posY", c.length(f.Y)).Set("timepoint", c.optionalTime(f.Timepoint))
}
