package iceserver

import (
	"net"
	"sync"
)

// burst collects what is written to a socket while a message is encrypted, so
// that the records of TLS, 16 KiB each, take fewer system calls.
type burst struct {
	net.Conn

	mu   sync.Mutex // guards the fields below; held during writes
	held bool
	buf  []byte
	err  error // of a write that flush made
}

// burstBytes is how much is collected.
const burstBytes = 64 << 10

// Write implements net.Conn.
func (b *burst) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, b.err
	}
	if !b.held {
		return b.Conn.Write(p)
	}
	if len(b.buf)+len(p) > burstBytes {
		if err := b.flush(); err != nil {
			return 0, err
		}
	}
	b.buf = append(b.buf, p...)
	return len(p), nil
}

// hold starts to collect.
func (b *burst) hold() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = true
}

// letGo ends that and writes what was collected.
func (b *burst) letGo() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = false
	return b.flush()
}

func (b *burst) flush() error {
	if b.err == nil && len(b.buf) > 0 {
		_, b.err = b.Conn.Write(b.buf)
	}
	b.buf = b.buf[:0]
	return b.err
}
