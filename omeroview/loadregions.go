package omeroview

import (
	"iter"

	"omerods/internal/pack"
)

// drawing is a region that an image is to get.
type drawing struct {
	image int64
	roi   *pack.ROI
}

// One request draws at most so much, unless a single region has more: a message
// has at most 64 MiB, and a shape takes about 1 KiB of it besides its own text
// and bits.
const (
	shapesDrawn = 2000
	bytesDrawn  = 8 << 20
)

// drawn divides drawings among requests.
func drawn(todo []drawing) iter.Seq[[]drawing] {
	return func(yield func([]drawing) bool) {
		from, shapes, size := 0, 0, 0
		for i, d := range todo {
			n, bytes := len(d.roi.Shapes), 0
			for k := range d.roi.Shapes {
				s := &d.roi.Shapes[k]
				bytes += len(s.Bits) + len(s.Points) + len(s.D) + len(s.Text)
			}
			if i > from && (i-from == batchSize || shapes+n > shapesDrawn || size+bytes > bytesDrawn) {
				if !yield(todo[from:i]) {
					return
				}
				from, shapes, size = i, 0, 0
			}
			shapes, size = shapes+n, size+bytes
		}
		if from < len(todo) {
			yield(todo[from:])
		}
	}
}
