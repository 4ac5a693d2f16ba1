package blitz

import (
	"context"
	"slices"
	"time"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

var sessionMethods = Methods{
	"createSessionWithTimeouts": func(_ context.Context, c *Call) ([]any, error) {
		return c.sudo(Arg[int64](c, 1), Arg[int64](c, 2))
	},
	"createSessionWithTimeout": func(_ context.Context, c *Call) ([]any, error) {
		return c.sudo(Arg[int64](c, 1), c.Server.cfg.IdleTimeout.Milliseconds())
	},
	"createUserSession": func(_ context.Context, c *Call) ([]any, error) {
		return c.ownSession(Arg[int64](c, 0), Arg[int64](c, 1), Arg[string](c, 2))
	},
	"getSession": func(_ context.Context, c *Call) ([]any, error) {
		sess, err := c.openSession(Arg[string](c, 0))
		if err != nil {
			return nil, err
		}
		return c.row(func(tx *store.Tx, who *Caller) (*store.Row, error) {
			return tx.Get(tx.Model().Class("Session"), sess.ID), nil
		})
	},
	"getReferenceCount": func(_ context.Context, c *Call) ([]any, error) {
		sess, err := c.openSession(Arg[string](c, 0))
		if err != nil {
			return nil, err
		}
		return []any{int32(sess.Clients())}, nil
	},
	"closeSession":            closeSession,
	"getMyOpenSessions":       openSessions(func(*store.Row, *Call) bool { return true }),
	"getMyOpenAgentSessions":  openSessions(func(r *store.Row, c *Call) bool { return r.Text("userAgent") == Arg[string](c, 0) }),
	"getMyOpenClientSessions": openSessions(func(r *store.Row, _ *Call) bool { return r.Get("userAgent") != nil }),
}

// openSession returns a living session of the caller; administrators may have
// those of others.
func (c *Call) openSession(uuid string) (*Session, error) {
	// Finding a session may end it, which writes: not within a transaction.
	sess := c.Server.session(uuid)
	if sess == nil {
		return nil, Fail(RemovedSession, "no session %s", uuid)
	}
	return sess, c.View(func(_ *store.Tx, who *Caller) error {
		if sess.User != who.User && !who.Admin {
			return Fail(SecurityViolation, "session belongs to another user")
		}
		return nil
	})
}

func openSessions(match func(*store.Row, *Call) bool) Method {
	return func(_ context.Context, c *Call) ([]any, error) {
		all := c.Server.allSessions()
		return c.rows(func(tx *store.Tx, who *Caller) ([]*store.Row, error) {
			var rows []*store.Row
			for _, sess := range all {
				row := tx.Get(tx.Model().Class("Session"), sess.ID)
				if sess.User == who.User && row != nil && match(row, c) {
					rows = append(rows, row)
				}
			}
			slices.SortFunc(rows, func(a, b *store.Row) int { return int(a.ID - b.ID) })
			return rows, nil
		})
	}
}

// closeSession takes one client off a session and ends it with the last, so
// that a client which repeats the call surely ends it. It returns how many
// clients are left, -2 when the session has ended by this call, and -1 when
// there is none.
func closeSession(_ context.Context, c *Call) ([]any, error) {
	o := Arg[*ice.Object](c, 0)
	if o == nil || !o.Has("uuid") {
		return nil, Fail(APIUsage, "no session to close")
	}
	uuid, _ := unbox(o.Get("uuid")).(string)
	sess := c.Server.session(uuid)
	if sess == nil {
		return []any{int32(-1)}, nil
	}
	if _, err := c.openSession(uuid); err != nil {
		return nil, err
	}
	sess.mu.Lock()
	sess.clients--
	left := sess.clients
	sess.mu.Unlock()
	if left > 0 {
		return []any{int32(left)}, nil
	}
	c.Server.end(sess)
	return []any{int32(-2)}, nil
}

// sudo makes a session for another user. Administrators with the privilege may
// do so for everybody, owners of a group for its members, in that group only.
func (c *Call) sudo(live, idle int64) ([]any, error) {
	p := Arg[*ice.Object](c, 0)
	if p == nil {
		return nil, Fail(APIUsage, "no principal")
	}
	name, _ := p.Get("name").(string)
	group, _ := p.Get("group").(string)
	spec := sessionSpec{live: time.Duration(live) * time.Millisecond, idle: time.Duration(idle) * time.Millisecond}
	spec.event, _ = p.Get("eventType").(string)
	if live < 0 || idle < 0 {
		return nil, Fail(APIUsage, "negative timeout")
	}
	target := c.Server.userByName(name)
	if target == nil {
		return nil, Fail(APIUsage, "no user %q", name)
	}
	spec.user, spec.sudoer = target.ID, c.Session.User
	err := c.View(func(tx *store.Tx, who *Caller) (err error) {
		if spec.group, err = startGroup(tx, target.ID, group); err != nil {
			return err
		}
		if who.Has("Sudo") {
			return nil
		}
		member := slices.ContainsFunc(memberships(tx, target.ID), func(m *store.Row) bool { return m.Ref("parent") == spec.group })
		if !slices.Contains(who.Leader, spec.group) || !member || isAdmin(tx, target.ID) {
			return Fail(SecurityViolation, "user %s may not create a session for %s", who.Name, name)
		}
		spec.fixed = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.makeSession(spec)
}

// ownSession makes a further session of the caller, who must have logged in
// with a password.
func (c *Call) ownSession(live, idle int64, group string) ([]any, error) {
	c.Session.mu.Lock()
	joined := c.Session.joined
	c.Session.mu.Unlock()
	if joined {
		return nil, Fail(SecurityViolation, "a session that was joined cannot create others")
	}
	spec := sessionSpec{
		user: c.Session.User, sudoer: c.Session.sudoer, fixed: c.Session.fixed,
		live: time.Duration(max(live, 0)) * time.Millisecond, idle: time.Duration(max(idle, 0)) * time.Millisecond,
	}
	err := c.View(func(tx *store.Tx, _ *Caller) (err error) {
		spec.group, err = startGroup(tx, spec.user, group)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c.makeSession(spec)
}

func (c *Call) makeSession(spec sessionSpec) ([]any, error) {
	sess, err := c.Server.newSession(spec)
	if err != nil {
		return nil, err
	}
	return c.row(func(tx *store.Tx, _ *Caller) (*store.Row, error) {
		return tx.Get(tx.Model().Class("Session"), sess.ID), nil
	})
}

// sessionTimeoutRequest changes how long a session of the caller lives.
func sessionTimeoutRequest(_ context.Context, c *Call, req *ice.Object, _ *Task) (*ice.Object, error) {
	uuid, _ := req.Get("session").(string)
	sess, err := c.openSession(uuid)
	if err != nil {
		return nil, err
	}
	live, hasLive := unbox(req.Get("timeToLive")).(int64)
	idle, hasIdle := unbox(req.Get("timeToIdle")).(int64)
	hasLive, hasIdle = hasLive && live >= 0, hasIdle && idle >= 0
	err = c.Server.store.Update(func(tx *store.Tx) error {
		class := tx.Model().Class("Session")
		row := tx.Get(class, sess.ID).Clone()
		if hasLive {
			row.SetValue(class.Property("timeToLive"), live)
		}
		if hasIdle {
			row.SetValue(class.Property("timeToIdle"), idle)
		}
		tx.Put(row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	sess.mu.Lock()
	defer sess.mu.Unlock()
	if hasLive {
		sess.live = time.Duration(live) * time.Millisecond
	}
	if hasIdle {
		sess.idle = time.Duration(idle) * time.Millisecond
	}
	return c.Server.defs.New("::omero::cmd::OK"), nil
}
