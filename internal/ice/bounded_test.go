package ice_test

import (
	"runtime/metrics"
	"testing"
)

// bounded fails when do allocates more than its input explains. The decoder may
// make some objects of each byte, never a number of objects that is only
// claimed. Other goroutines of the test count too; the constant is for them.
func bounded(t *testing.T, inputBytes int, do func()) {
	t.Helper()
	const perByte, always = 1 << 10, 32 << 20
	before := allocatedBytes()
	do()
	if n, most := allocatedBytes()-before, uint64(inputBytes*perByte+always); n > most {
		t.Errorf("%d bytes of input made the decoder allocate %d", inputBytes, n)
	}
}

// allocatedBytes is what was asked for so far. Unlike runtime.ReadMemStats it
// does not stop the world, which a fuzz target could not afford each time.
func allocatedBytes() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
