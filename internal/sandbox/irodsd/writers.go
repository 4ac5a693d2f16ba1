package irodsd

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"

	"omerods/internal/sandbox/irodsd/catalog"
)

// writing is an object that is open for writing, by one or, with its token,
// several connections.
type writing struct {
	token  string
	number int // replica
	before []catalog.Replica

	// Guarded by writers.mu.
	path  string
	refs  int
	dirty bool // bytes changed
	moved bool // renamed meanwhile
}

// writers are all objects open for writing, by object id. The catalogue says
// the same with the intermediate state; what it says without an entry here is
// left from a server that was killed.
type writers struct {
	mu   sync.Mutex
	open map[int64]*writing
}

// start files a new writer. It must be called within the catalogue update that
// sets the intermediate state.
func (w *writers) start(id int64, path string, number int, before []catalog.Replica) *writing {
	k := &writing{token: newToken(), number: number, before: before, path: path, refs: 1}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open[id] = k
	return k
}

// join adds a connection that knows the token, or returns nil.
func (w *writers) join(id int64, token string) *writing {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := w.open[id]
	if k == nil || token == "" || k.token != token {
		return nil
	}
	k.refs++
	return k
}

// leave takes one connection away and reports whether it was the last.
func (w *writers) leave(id int64, k *writing) (last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	k.refs--
	if k.refs > 0 {
		return false
	}
	if w.open[id] == k {
		delete(w.open, id)
	}
	return true
}

// touched notes that bytes changed.
func (w *writers) touched(k *writing) {
	w.mu.Lock()
	k.dirty = true
	w.mu.Unlock()
}

// state returns what a close must know.
func (w *writers) state(k *writing) (dirty, moved bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return k.dirty, k.moved
}

// renamed notes a rename of an object or of a collection above it.
func (w *writers) renamed(from string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.open {
		if k.path == from || strings.HasPrefix(k.path, from+"/") {
			k.moved = true
		}
	}
}

// newToken returns a random UUID.
func newToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func errnoOf(err error) (syscall.Errno, bool) {
	var errno syscall.Errno
	ok := errors.As(err, &errno)
	return errno, ok
}
