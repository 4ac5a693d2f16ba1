package blitz

import (
	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
	"omerods/internal/sandbox/store"
)

func denied(reason string) error {
	return &iceserver.Exception{ID: "::Glacier2::PermissionDeniedException", Values: map[string]any{"reason": reason}}
}

func cannotCreate(reason string) error {
	return &iceserver.Exception{ID: "::Glacier2::CannotCreateSessionException", Values: map[string]any{"reason": reason}}
}

// wrapped is how a refusal of OMERO reaches a client that logs in.
func wrapped(class, reason string) error {
	return &iceserver.Exception{ID: "::omero::WrappedCreateSessionException", Values: map[string]any{
		"reason": reason, "concurrency": false, "backOff": int64(-1), "type": "ome.conditions." + class,
	}}
}

// createSession logs in with a password, or joins the session whose uuid is
// both user and password.
func (l *link) createSession(user, password string, ctxt map[string]string) (*ice.Proxy, error) {
	l.mu.Lock()
	if l.session != nil || l.starting {
		l.mu.Unlock()
		return nil, cannotCreate("session exists")
	}
	l.starting = true
	l.mu.Unlock()
	sess, err := l.srv.login(user, password, ctxt)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.starting = false
	if err != nil {
		return nil, err
	}
	l.session, l.client, l.category = sess, ctxt["omero.client.uuid"], newCategory()
	l.srv.mu.Lock()
	l.srv.callbacks[l.category] = l
	l.srv.mu.Unlock()
	return l.srv.proxy(ice.Identity{Name: sess.UUID, Category: "session-" + l.client}), nil
}

func (s *Server) login(user, password string, ctxt map[string]string) (*Session, error) {
	if sess := s.session(user); sess != nil && isUUID(user) {
		if password != user {
			return nil, denied("Password check failed for '" + user + "': []")
		}
		if ctxt["omero.client.uuid"] == "" {
			return nil, wrapped("ApiUsageException", "no omero.client.uuid in the context")
		}
		if !sess.join(true) {
			return nil, wrapped("RemovedSessionException", "session "+user+" has ended")
		}
		return sess, nil
	}
	who := s.userByName(user)
	if who == nil || !s.secrets.check(who.ID, password) {
		return nil, denied("Password check failed for '" + user + "': []")
	}
	if ctxt["omero.client.uuid"] == "" {
		return nil, wrapped("ApiUsageException", "no omero.client.uuid in the context")
	}
	var group int64
	err := s.store.View(func(tx *store.Tx) (err error) {
		group, err = startGroup(tx, who.ID, ctxt["omero.group"])
		return err
	})
	if err != nil {
		return nil, err
	}
	sess, err := s.newSession(sessionSpec{
		user: who.ID, group: group, agent: ctxt["omero.agent"], ip: ctxt["omero.ip"], idle: s.cfg.IdleTimeout,
		sudoer: store.None, event: ctxt["omero.event"],
	})
	if err != nil {
		return nil, wrapped("InternalException", err.Error())
	}
	sess.join(false)
	return sess, nil
}

// startGroup returns the group that a session begins in: the one named, or the
// user's default group, which is the first that is not one of the server's
// own.
func startGroup(tx *store.Tx, user int64, name string) (int64, error) {
	var mine []int64
	for _, m := range memberships(tx, user) {
		mine = append(mine, m.Ref("parent"))
	}
	if name == "" {
		for _, id := range mine {
			if id != store.UserGroup {
				return id, nil
			}
		}
		return 0, wrapped("ApiUsageException", "user has no group to log in to")
	}
	for _, id := range mine {
		if g := tx.Get(tx.Model().Class("ExperimenterGroup"), id); g != nil && g.Text("name") == name {
			return id, nil
		}
	}
	ids, _ := tx.TextIDs(tx.Model().Class("ExperimenterGroup").Property("name"), name)
	if len(ids) == 0 {
		return 0, wrapped("ApiUsageException", "no group "+name)
	}
	if isAdmin(tx, user) {
		return ids[0], nil
	}
	return 0, wrapped("SecurityViolation", "user is not a member of group "+name)
}

func (s *Server) userByName(name string) *store.Row {
	var row *store.Row
	_ = s.store.View(func(tx *store.Tx) error { // a closed store has no users
		c := tx.Model().Class("Experimenter")
		if ids, _ := tx.TextIDs(c.Property("omeName"), name); len(ids) > 0 {
			row = tx.Get(c, ids[0])
		}
		return nil
	})
	return row
}
