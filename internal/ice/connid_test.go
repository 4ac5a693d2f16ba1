package ice

import (
	"math"
	"testing"
)

func TestRequestIDsWrap(t *testing.T) {
	c := &Conn{calls: map[int32]*call{1: {}, 3: {}}, nextID: math.MaxInt32 - 1}
	for _, want := range []int32{math.MaxInt32, 2, 4} {
		if got, err := c.register(&call{}); err != nil || got != want {
			t.Errorf("got %d (%v), want %d", got, err, want)
		}
	}
}
