package repository

import (
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// shownChannels is how many channels are switched on at first.
const shownChannels = 3

// addRendering makes the first rendering settings of pixels and the row of
// their thumbnail.
func addRendering(a *store.Author, pixels *store.Row, s *imaging.Series, st *imaging.Stats) error {
	quantum, err := a.Create("QuantumDef", store.Values{"cdStart": 0, "cdEnd": 255, "bitResolution": 255})
	if err != nil {
		return err
	}
	model := "rgb"
	if s.SizeC == 1 {
		model = "greyscale"
	}
	def, err := a.Create("RenderingDef", store.Values{
		"pixels": pixels, "defaultZ": s.SizeZ / 2, "defaultT": 0, "model": model, "quantization": quantum,
	})
	if err != nil {
		return err
	}
	for c := range s.SizeC {
		col := s.ChannelColor(c)
		lo, hi := 0.0, 255.0
		if st != nil {
			lo, hi = st.Min[c], st.Max[c]
		}
		_, err := a.Create("ChannelBinding", store.Values{
			"renderingDef": def, "family": "linear", "coefficient": 1.0, "inputStart": lo, "inputEnd": hi,
			"active": c < shownChannels, "noiseReduction": false,
			"red": int(col.R), "green": int(col.G), "blue": int(col.B), "alpha": int(col.A),
		})
		if err != nil {
			return err
		}
	}
	w, h := imaging.ThumbnailSize(s.SizeX, s.SizeY, thumbnailPixels)
	_, err = a.Create("Thumbnail", store.Values{
		"pixels": pixels, "mimeType": "image/jpeg",
		"sizeX": w, "sizeY": h,
	})
	return err
}

// thumbnailPixels is the longest side of the thumbnail that an import makes.
const thumbnailPixels = 96
