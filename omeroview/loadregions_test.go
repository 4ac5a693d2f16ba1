package omeroview

import (
	"slices"
	"testing"

	"omerods/internal/pack"
)

// Regions go in requests of bounded size, all of them, in their order.
func TestRegionsAreDrawnInBoundedRequests(t *testing.T) {
	region := func(shapes, bits int) drawing {
		r := &pack.ROI{Shapes: make([]pack.Shape, shapes)}
		for i := range r.Shapes {
			r.Shapes[i].Bits = make([]byte, bits)
		}
		return drawing{roi: r}
	}
	for _, tc := range []struct {
		name string
		todo []drawing
		want []int // regions by request
	}{
		{"none", nil, nil},
		{"few", []drawing{region(1, 0), region(2, 0)}, []int{2}},
		{"empty ones", slices.Repeat([]drawing{region(0, 0)}, batchSize+1), []int{batchSize, 1}},
		{"many shapes", slices.Repeat([]drawing{region(10, 0)}, 401), []int{200, 200, 1}},
		{"one with very many", []drawing{region(1, 0), region(3*shapesDrawn, 0), region(1, 0)}, []int{1, 1, 1}},
		{"masks", slices.Repeat([]drawing{region(1, 3<<20)}, 5), []int{2, 2, 1}},
	} {
		var got []int
		var all []drawing
		for part := range drawn(tc.todo) {
			got, all = append(got, len(part)), append(all, part...)
		}
		if !slices.Equal(got, tc.want) || !slices.Equal(all, tc.todo) {
			t.Errorf("%s: %v regions by request, want %v", tc.name, got, tc.want)
		}
	}
}
