package wild

import "omerods/internal/sandbox/store"

// makeLooks gives another member of the group settings of images of the first.
func (m *maker) makeLooks() error {
	if !m.shared {
		return nil
	}
	for _, image := range m.images {
		if m.chance(2) {
			continue
		}
		pixels := m.pixels(image)
		q, err := m.createAs(m.other, "QuantumDef", store.Values{"cdStart": 0, "cdEnd": 200 + m.r.IntN(56), "bitResolution": 255})
		if err != nil {
			return err
		}
		def, err := m.createAs(m.other, "RenderingDef", store.Values{
			"pixels": pixels, "defaultZ": 0, "defaultT": 0, "model": m.enum("RenderingModel"), "quantization": q,
		})
		if err != nil {
			return err
		}
		for range m.t.Store.Collection("Pixels", pixels.ID, "channels") {
			_, err := m.createAs(m.other, "ChannelBinding", store.Values{
				"renderingDef": def, "inputStart": float64(m.r.IntN(9)), "inputEnd": float64(50 + m.r.IntN(100)), "active": m.chance(2), "family": m.enum("Family"),
				"coefficient": 1.0, "noiseReduction": false, "red": m.r.IntN(256), "green": m.r.IntN(256), "blue": m.r.IntN(256), "alpha": 255,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
