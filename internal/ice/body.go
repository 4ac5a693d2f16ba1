package ice

import (
	"bytes"
	"io"
	"slices"
	"sync"
)

// A body is the memory of a received message. Large ones are used again when
// whoever has the message says that it is done with it: clearing and mapping
// new memory for each chunk of a file costs more than decrypting it. Nobody
// has to say so; then the garbage collector frees the memory.
type body struct{ buf []byte }

const (
	// minBody and maxBody bound the messages whose memory is used again: what
	// is smaller is not worth it, what is larger is too rare to be kept.
	minBody = 64 << 10
	maxBody = 5 << 20
	// bodyStep is what the memory is a multiple of, so that messages of
	// almost the same size share it.
	bodyStep = 64 << 10
)

// bodies are not in use. The garbage collector takes those that stay here.
var bodies sync.Pool

// newBody returns memory for n bytes, and what to give it back with; nil when
// that is not done.
func newBody(n int) ([]byte, *body) {
	if n < minBody || n > maxBody {
		return make([]byte, n), nil
	}
	if b, _ := bodies.Get().(*body); b != nil && cap(b.buf) >= n {
		return b.buf[:n], b
	}
	b := &body{make([]byte, n, (n+bodyStep-1)/bodyStep*bodyStep)}
	return b.buf, b
}

// readBody reads n bytes. The memory for a very large message grows with what
// really comes, not with what is promised.
func readBody(r io.Reader, n int) ([]byte, *body, error) {
	data, memory := newBody(min(n, maxBody))
	if _, err := io.ReadFull(r, data); err != nil {
		memory.free()
		return nil, nil, err
	}
	if len(data) == n {
		return data, memory, nil
	}
	large := bytes.Clone(data)
	memory.free()
	for len(large) < n {
		have := len(large)
		large = slices.Grow(large, min(n-have, have))[:have+min(n-have, have)]
		if _, err := io.ReadFull(r, large[have:]); err != nil {
			return nil, nil, err
		}
	}
	return large, nil, nil
}

func (b *body) free() {
	if b != nil {
		bodies.Put(b)
	}
}

// Release says that nothing refers to the memory of a received reply any more:
// neither Params nor byte sequences that were decoded from it. It is called at
// most once, and need not be.
func (r *Reply) Release() {
	b := r.body
	r.body, r.Params = nil, nil
	b.free()
}
