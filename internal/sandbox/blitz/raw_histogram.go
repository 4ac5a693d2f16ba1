package blitz

import (
	"omerods/internal/ice"
	"omerods/internal/sandbox/imaging"
	"omerods/internal/sandbox/store"
)

// maxBins bounds a histogram.
const maxBins = 1 << 16

// histogram counts the samples of a section by channel: in bins over the range
// of the whole channel, or over that of the section.
func (p *rawPixels) histogram(c *Call) ([]any, error) {
	bins, global, def := Arg[int32](c, 1), Arg[bool](c, 2), Arg[*ice.Object](c, 3)
	if bins < 1 || bins > maxBins || def == nil {
		return nil, Fail(APIUsage, "a histogram of %d bins", bins)
	}
	z, _ := def.Get("z").(int32)
	t, _ := def.Get("t").(int32)
	var known *look
	if global {
		err := c.View(func(tx *store.Tx, who *Caller) error {
			row, err := readablePixels(tx, who, p.id)
			if err == nil {
				known, err = defaultLook(tx, row, p.px)
			}
			return err
		})
		if err != nil {
			return nil, diskError(err)
		}
	}
	out := ice.Dict{}
	for _, ch := range Arg[[]int32](c, 0) {
		if err := p.inside(0, z, ch, t); err != nil {
			return nil, err
		}
		plane, err := p.px.Plane(int(z), int(ch), int(t))
		if err != nil {
			return nil, diskError(err)
		}
		s := p.series()
		lo, hi := s.Span(plane)
		if global {
			lo, hi = known.paint.Channels[ch].Start, known.paint.Channels[ch].End
		}
		out = append(out, ice.Pair{Key: ch, Value: count(s, plane, lo, hi, int(bins))})
	}
	return []any{out}, nil
}

func count(s *imaging.Series, plane []byte, lo, hi float64, bins int) []int32 {
	counts := make([]int32, bins)
	width := (hi - lo + 1) / float64(bins)
	s.Samples(plane, func(v float64) {
		if n := int((v - lo) / width); v >= lo && n < bins {
			counts[n]++
		}
	})
	return counts
}
