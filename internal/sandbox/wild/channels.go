package wild

import "omerods/internal/sandbox/store"

// makeChannels edits channels as people do in OMERO: names and colours.
func (m *maker) makeChannels() error {
	for _, image := range m.images {
		for _, c := range m.t.Store.Collection("Pixels", m.pixels(image).ID, "channels") {
			if m.chance(2) {
				continue
			}
			v := store.Values{"red": m.r.IntN(256), "green": m.r.IntN(256), "blue": m.r.IntN(256), "alpha": m.r.IntN(256)}
			if m.chance(3) {
				v["lookupTable"] = pick(m, []string{"cool.lut", "glow.lut", m.text()})
			}
			if err := m.change(c, v); err != nil {
				return err
			}
			if err := m.change(m.t.Store.Get("LogicalChannel", c.Ref("logicalChannel")), store.Values{"name": m.text()}); err != nil {
				return err
			}
		}
	}
	return nil
}

// makeRendering gives images settings, each channel its own.
func (m *maker) makeRendering() error {
	for _, image := range m.images {
		for _, def := range m.t.Store.Collection("Pixels", m.pixels(image).ID, "settings") {
			if m.chance(2) {
				continue
			}
			v := store.Values{"defaultZ": 0, "defaultT": 0, "model": m.enum("RenderingModel")}
			if m.chance(2) {
				v["name"] = m.text()
			}
			if err := m.change(def, v); err != nil {
				return err
			}
			for _, b := range m.t.Store.Collection("RenderingDef", def.ID, "waveRendering") {
				v := store.Values{
					"inputStart": float64(m.r.IntN(100)), "inputEnd": float64(100 + m.r.IntN(100)), "active": m.chance(2), "family": m.enum("Family"),
					"coefficient": 1 + float64(m.r.IntN(3)), "red": m.r.IntN(256), "green": m.r.IntN(256), "blue": m.r.IntN(256), "alpha": 255,
				}
				if m.chance(3) {
					v["lookupTable"] = "cool.lut"
				}
				if err := m.change(b, v); err != nil {
					return err
				}
				if m.chance(3) {
					if _, err := m.create("ReverseIntensityContext", store.Values{"channelBinding": b, "reverse": true}); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}
