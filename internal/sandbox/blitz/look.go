package blitz

import (
	"omerods/internal/ice"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/repository"
	"omerods/internal/sandbox/store"
)

// look is rendering settings: a RenderingDef with all that belongs to it, taken
// out of the store to be used and changed.
type look struct {
	id, owner int64 // store.None before it is saved
	z, t      int32
	bits      int32 // of the quantisation
	paint     imaging.Rendering
	noise     []bool   // by channel, as the next
	tables    []string // names of lookup tables; "" for none
}

const greyscale = "greyscale"

// readLook loads settings.
func readLook(tx *store.Tx, def *store.Row) *look {
	m := tx.Model()
	l := &look{id: def.ID, owner: def.Owner}
	l.z, _ = def.Get("defaultZ").(int32)
	l.t, _ = def.Get("defaultT").(int32)
	if model := tx.Get(m.Class("RenderingModel"), def.Ref("model")); model != nil {
		l.paint.Greyscale = model.Text("value") == greyscale
	}
	if q := tx.Get(m.Class("QuantumDef"), def.Ref("quantization")); q != nil {
		first, _ := q.Get("cdStart").(int32)
		last, _ := q.Get("cdEnd").(int32)
		l.bits, _ = q.Get("bitResolution").(int32)
		l.paint.First, l.paint.Last = int(first), int(last)
	}
	for _, b := range tx.Collection(def.Class.Property("waveRendering"), def.ID) {
		h := imaging.Shade{Color: colorOf(b)}
		h.Active, _ = b.Get("active").(bool)
		h.Start, _ = b.Get("inputStart").(float64)
		h.End, _ = b.Get("inputEnd").(float64)
		h.Coefficient, _ = b.Get("coefficient").(float64)
		if f := tx.Get(m.Class("Family"), b.Ref("family")); f != nil {
			h.Family = f.Text("value")
		}
		for _, e := range tx.Collection(b.Class.Property("spatialDomainEnhancement"), b.ID) {
			h.Reverse = h.Reverse || e.Get("reverse") == true
		}
		noise, _ := b.Get("noiseReduction").(bool)
		l.paint.Channels, l.noise, l.tables = append(l.paint.Channels, h), append(l.noise, noise), append(l.tables, b.Text("lookupTable"))
	}
	return l
}

func colorOf(row *store.Row) imaging.Color {
	part := func(name string) uint8 {
		n, _ := row.Get(name).(int32)
		return uint8(n)
	}
	return imaging.Color{R: part("red"), G: part("green"), B: part("blue"), A: part("alpha")}
}

// defaultLook is what new pixels are shown with: the range of each channel as
// the server knows it, or else by looking at all samples.
func defaultLook(tx *store.Tx, pixels *store.Row, px *repository.Pixels) (*look, error) {
	s := px.Series()
	st := imaging.Stats{Min: make([]float64, s.SizeC), Max: make([]float64, s.SizeC)}
	known := 0
	for c, ch := range tx.Collection(pixels.Class.Property("channels"), pixels.ID) {
		if info := tx.Get(tx.Model().Class("StatsInfo"), ch.Ref("statsInfo")); info != nil && c < s.SizeC {
			st.Min[c], _ = info.Get("globalMin").(float64)
			st.Max[c], _ = info.Get("globalMax").(float64)
			known++
		}
	}
	if known < s.SizeC {
		var err error
		if st, err = px.Scan(); err != nil {
			return nil, err
		}
	}
	l := &look{id: store.None, owner: store.None, z: int32(s.SizeZ / 2), bits: 255, paint: s.DefaultRendering(&st)}
	l.noise, l.tables = make([]bool, s.SizeC), make([]string, s.SizeC)
	return l, nil
}

// binding are the members of the ChannelBinding of a channel.
func (l *look) binding(c int) store.Values {
	h := &l.paint.Channels[c]
	v := store.Values{
		"family": h.Family, "coefficient": h.Coefficient, "inputStart": h.Start, "inputEnd": h.End,
		"active": h.Active, "noiseReduction": l.noise[c],
		"red": int(h.Color.R), "green": int(h.Color.G), "blue": int(h.Color.B), "alpha": int(h.Color.A),
	}
	if l.tables[c] != "" {
		v["lookupTable"] = l.tables[c]
	}
	return v
}

func (l *look) model() string {
	if l.paint.Greyscale {
		return greyscale
	}
	return "rgb"
}

// create stores the settings as new ones of the pixels.
func (l *look) create(a *store.Author, pixels *store.Row) (int64, error) {
	q, err := a.Create("QuantumDef", l.quantum())
	if err != nil {
		return 0, err
	}
	def, err := a.Create("RenderingDef", store.Values{"pixels": pixels, "defaultZ": l.z, "defaultT": l.t, "model": l.model(), "quantization": q})
	if err != nil {
		return 0, err
	}
	for c := range l.paint.Channels {
		v := l.binding(c)
		v["renderingDef"] = def
		b, err := a.Create("ChannelBinding", v)
		if err != nil {
			return 0, err
		}
		if err := l.enhance(a, b, c); err != nil {
			return 0, err
		}
	}
	return def.ID, nil
}

func (l *look) quantum() store.Values {
	return store.Values{"cdStart": l.paint.First, "cdEnd": l.paint.Last, "bitResolution": l.bits}
}

// update stores the settings in place of others of the same pixels.
func (l *look) update(a *store.Author, def *store.Row) error {
	m := a.Tx().Model()
	change := func(row *store.Row, v store.Values) error {
		changed := row.Clone()
		if err := a.Tx().Fill(changed, v); err != nil {
			return err
		}
		if !sameValues(row, changed) {
			a.Update(changed)
		}
		return nil
	}
	if q := a.Tx().Get(m.Class("QuantumDef"), def.Ref("quantization")); q != nil {
		if err := change(q, l.quantum()); err != nil {
			return err
		}
	}
	if err := change(def, store.Values{"defaultZ": l.z, "defaultT": l.t, "model": l.model()}); err != nil {
		return err
	}
	for c, b := range a.Tx().Collection(def.Class.Property("waveRendering"), def.ID) {
		if c >= len(l.paint.Channels) {
			break
		}
		v := l.binding(c)
		if l.tables[c] == "" {
			v["lookupTable"] = nil
		}
		if err := change(b, v); err != nil {
			return err
		}
		if err := l.enhance(a, b, c); err != nil {
			return err
		}
	}
	return nil
}

// enhance stores whether a channel is reversed.
func (l *look) enhance(a *store.Author, binding *store.Row, c int) error {
	was := a.Tx().Collection(binding.Class.Property("spatialDomainEnhancement"), binding.ID)
	switch {
	case l.paint.Channels[c].Reverse && len(was) == 0:
		_, err := a.Create("ReverseIntensityContext", store.Values{"channelBinding": binding, "reverse": true})
		return err
	case !l.paint.Channels[c].Reverse:
		for _, e := range was {
			a.Delete(e)
		}
	}
	return nil
}

// take changes the settings to those of a ::omero::model::RenderingDef that a
// client sent. Members that are null stay as they are.
func (l *look) take(tx *store.Tx, o *ice.Object) {
	if z, ok := unbox(o.Get("defaultZ")).(int32); ok {
		l.z = z
	}
	if t, ok := unbox(o.Get("defaultT")).(int32); ok {
		l.t = t
	}
	if name := enumValue(tx, o.Get("model")); name != "" {
		l.paint.Greyscale = name == greyscale
	}
	list, _ := o.Get("waveRenderingSeq").([]any)
	for c, v := range list {
		b, _ := v.(*ice.Object)
		if b == nil || c >= len(l.paint.Channels) {
			continue
		}
		h := &l.paint.Channels[c]
		set(&h.Active, b.Get("active"))
		set(&h.Start, b.Get("inputStart"))
		set(&h.End, b.Get("inputEnd"))
		set(&h.Coefficient, b.Get("coefficient"))
		set(&l.noise[c], b.Get("noiseReduction"))
		if name := enumValue(tx, b.Get("family")); name != "" {
			h.Family = name
		}
		for part, to := range map[string]*uint8{"red": &h.Color.R, "green": &h.Color.G, "blue": &h.Color.B, "alpha": &h.Color.A} {
			if n, ok := unbox(b.Get(part)).(int32); ok {
				*to = uint8(n)
			}
		}
	}
}

func set[T any](to *T, v any) {
	if x, ok := unbox(v).(T); ok {
		*to = x
	}
}

// enumValue is the value of an enumeration object, which may be a reference.
func enumValue(tx *store.Tx, v any) string {
	o, _ := v.(*ice.Object)
	if o == nil {
		return ""
	}
	if value, ok := unbox(o.Get("value")).(string); ok {
		return value
	}
	id, _ := unbox(o.Get("id")).(int64)
	if row := tx.Get(tx.Model().Class(shortName(o.Class.ID)), id); row != nil {
		return row.Text("value")
	}
	return ""
}
