package iceserver

import (
	"time"

	"omerods/internal/ice"
)

// watch does, until the connection ends, what Ice's servers do to connections
// on which nothing happens. A client that waits for an answer may end its
// connection when it hears nothing for a while (its Ice.ACM settings), so that
// it gets heartbeats. Other idle connections end without a word, as Glacier2
// ends them.
func (c *Conn) watch() {
	heartbeat, idle := c.srv.cfg.HeartbeatInterval, c.srv.cfg.IdleTimeout
	period := heartbeat / 2
	if idle > 0 {
		period = min(period, idle/2)
	}
	ticker := time.NewTicker(max(period, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-c.ctx.Done():
			return
		}
		quiet := time.Since(time.Unix(0, c.last.Load()))
		c.mu.Lock()
		busy := c.active > 0
		c.mu.Unlock()
		switch {
		case busy && quiet >= period:
			if c.send(ice.ValidateMessage()) != nil {
				c.Abort()
				return
			}
		case !busy && idle > 0 && quiet >= idle:
			c.Abort()
			return
		}
	}
}

func (c *Conn) touch() { c.last.Store(time.Now().UnixNano()) }

// activeReader reads from a connection and notes when.
type activeReader struct{ c *Conn }

func (r activeReader) Read(p []byte) (int, error) {
	n, err := r.c.nc.Read(p)
	if n > 0 {
		r.c.touch()
	}
	return n, err
}
