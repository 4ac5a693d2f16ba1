package blitz

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// Session is a session of the server. Several connections may share it; it
// ends when the last one leaves, unless that was switched off, or when nobody
// used it for its idle time.
type Session struct {
	srv *Server

	UUID  string // immutable, as the fields up to mu
	ID    int64
	User  int64
	fixed bool // cannot leave its group: made by a group owner for a member
	// sudoer is who made the session for its user, store.None for nobody.
	sudoer int64
	began  time.Time

	mu       sync.Mutex    // guards the fields below
	live     time.Duration // after which it ends in any case; 0 for never
	idle     time.Duration // without use, after which it ends; 0 for never
	group    int64         // of calls that name none
	used     time.Time
	clients  int  // connections
	joined   bool // somebody entered with the key instead of a password
	detach   bool // survives its last connection
	ended    bool
	objects  map[ice.Identity]*object
	admitted map[ice.Identity]bool
	tasks    map[*Task]bool
}

// newUUID returns a random UUID.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// sessionSpec is what a new session is made of.
type sessionSpec struct {
	user, group int64
	agent, ip   string
	live, idle  time.Duration
	sudoer      int64
	fixed       bool
	event       string
}

// newSession makes a session and its row.
func (s *Server) newSession(spec sessionSpec) (*Session, error) {
	sess := &Session{
		srv: s, UUID: newUUID(), User: spec.user, group: spec.group, fixed: spec.fixed, sudoer: spec.sudoer,
		live: spec.live, idle: spec.idle, began: s.store.Now(), used: s.store.Now(),
		objects: make(map[ice.Identity]*object), admitted: make(map[ice.Identity]bool), tasks: make(map[*Task]bool),
	}
	if spec.event == "" {
		spec.event = "User"
	}
	err := s.store.Update(func(tx *store.Tx) error {
		row := store.NewRow(tx.Model().Class("Session"))
		v := store.Values{
			"node": 0, "uuid": sess.UUID, "owner": spec.user, "timeToIdle": spec.idle.Milliseconds(),
			"timeToLive": spec.live.Milliseconds(), "started": sess.began, "defaultEventType": spec.event,
		}
		if spec.agent != "" {
			v["userAgent"] = spec.agent
		}
		if spec.ip != "" {
			v["userIP"] = spec.ip
		}
		if spec.sudoer != store.None {
			v["sudoer"] = spec.sudoer
		}
		if err := tx.Fill(row, v); err != nil {
			return err
		}
		sess.ID = tx.Insert(row).ID
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosing
	}
	s.sessions[sess.UUID] = sess
	return sess, nil
}

// closeStale closes the rows of sessions that an earlier run left open.
func (s *Server) closeStale() error {
	err := s.store.Update(func(tx *store.Tx) error {
		c := tx.Model().Class("Session")
		for row := range tx.Rows(c) {
			if row.ID != 0 && row.Get("closed") == nil {
				row = row.Clone()
				row.SetValue(c.Property("closed"), tx.Now())
				tx.Put(row)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("close old sessions: %w", err)
	}
	return nil
}

// session returns a living session.
func (s *Server) session(uuid string) *Session {
	s.mu.Lock()
	sess := s.sessions[uuid]
	s.mu.Unlock()
	if sess == nil {
		return nil
	}
	if sess.expired(s.store.Now()) {
		s.end(sess)
		return nil
	}
	return sess
}

func (s *Server) allSessions() []*Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*Session, 0, len(s.sessions))
	for _, sess := range s.sessions {
		out = append(out, sess)
	}
	return out
}

// reap ends sessions whose time is over.
func (s *Server) reap() {
	defer s.wg.Done()
	tick := time.NewTicker(reapInterval)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		for _, sess := range s.allSessions() {
			if sess.expired(s.store.Now()) {
				s.end(sess)
			}
		}
	}
}

func (s *Session) expired(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live > 0 && now.Sub(s.began) > s.live {
		return true
	}
	// Work of the session's requests keeps it alive.
	return s.idle > 0 && len(s.tasks) == 0 && now.Sub(s.used) > s.idle
}

// touch notes that the session is in use.
func (s *Session) touch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = s.srv.store.Now()
}

// join adds a connection, one that checked no password when reused is true. It
// reports false when the session has ended.
func (s *Session) join(reused bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.joined = s.joined || reused
	s.clients++
	s.used = s.srv.store.Now()
	return true
}

// leave removes a connection and ends the session with the last one.
func (s *Session) leave() {
	s.mu.Lock()
	s.clients--
	last := s.clients <= 0 && !s.detach
	s.mu.Unlock()
	if last {
		s.srv.end(s)
	}
}

// Clients returns how many connections use the session.
func (s *Session) Clients() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clients
}

// lastUse is when a client last called.
func (s *Session) lastUse() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

func (s *Session) currentGroup() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.group
}

// end closes a session with all that belongs to it.
func (s *Server) end(sess *Session) {
	s.mu.Lock()
	delete(s.sessions, sess.UUID)
	s.mu.Unlock()
	sess.mu.Lock()
	if sess.ended {
		sess.mu.Unlock()
		return
	}
	sess.ended = true
	objects := sess.objects
	sess.objects = make(map[ice.Identity]*object)
	tasks := make([]*Task, 0, len(sess.tasks))
	for t := range sess.tasks {
		tasks = append(tasks, t)
	}
	sess.mu.Unlock()
	for _, t := range tasks {
		t.stop()
	}
	ctx := context.WithoutCancel(s.ctx)
	for id, o := range objects {
		if err := o.close(ctx); err != nil {
			s.log.Warn("close service", "object", id.Name, "err", err)
		}
	}
	err := s.store.Update(func(tx *store.Tx) error {
		row := tx.Get(tx.Model().Class("Session"), sess.ID)
		if row == nil {
			return nil
		}
		row = row.Clone()
		row.SetValue(row.Class.Property("closed"), tx.Now())
		tx.Put(row)
		return nil
	})
	if err != nil {
		s.log.Warn("close session", "session", sess.ID, "err", err)
	}
}
