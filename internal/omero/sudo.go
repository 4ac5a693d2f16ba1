package omero

import (
	"context"
	"errors"
	"fmt"
	"time"

	"omerods/internal/ice"
)

var sessionService = service{"::omero::api::ISession", "getSessionService"}

// sudoIdle is after how long without a sign of life the server ends a session
// that was made for another user.
const sudoIdle = 10 * time.Minute

// sudo is how a client comes by the sessions of another user.
type sudo struct {
	by          *Client
	user, group string
}

// As opens a client that acts as another user, in the group of that name or,
// with "", the user's default group. Administrators with the privilege Sudo may
// do so for everybody, owners of a group for its members, whose client then
// cannot leave the group. Others get a Denied.
//
// The new client has a connection of its own and ends its session on Close. It
// asks c for a new session when it has lost one, so c must outlive it.
func (c *Client) As(ctx context.Context, user, group string) (*Client, error) {
	as, err := c.as(ctx, user, group)
	if err != nil {
		return nil, fmt.Errorf("act as %s: %w", user, err)
	}
	return as, nil
}

func (c *Client) as(ctx context.Context, user, group string) (*Client, error) {
	u, err := c.UserByName(ctx, user)
	if err != nil {
		return nil, err
	}
	if group == "" {
		// The server has a default only for those who log in themselves.
		if group, err = c.defaultGroup(ctx, u.ID); err != nil {
			return nil, err
		}
	}
	cfg := c.cfg
	cfg.User, cfg.Password, cfg.SessionKey, cfg.Group = user, "", "", ""
	as, err := connect(ctx, cfg, &sudo{by: c, user: user, group: group})
	if err != nil {
		return nil, err
	}
	if as.who.User != u.ID || as.who.Sudoer == "" {
		return nil, errors.Join(failure(Internal, "act as "+user, "the server made a session of "+as.who.UserName), as.Close())
	}
	return as, nil
}

// defaultGroup is the name of the group that a user's own login begins in.
func (c *Client) defaultGroup(ctx context.Context, user int64) (string, error) {
	r, ok, err := c.first(ctx, `select g.name, g.id from Experimenter e join e.groupExperimenterMap m join m.parent g `+
		`where e.id = :uid and g.name != 'user' order by index(m)`, params{"uid": user})
	if err != nil {
		return "", err
	}
	if !ok {
		return "", failure(NotFound, "default group", "the user is in no group")
	}
	return r.str(0), nil
}

// session makes a session of the user and returns its key.
func (s *sudo) session(ctx context.Context) (string, error) {
	c := s.by
	p := c.defs.New("::omero::sys::Principal").Set("name", s.user).Set("group", s.group).Set("eventType", "User")
	res, err := c.call(ctx, sessionService, "createSessionWithTimeouts", p, int64(0), sudoIdle.Milliseconds())
	o, err := result[*ice.Object]("createSessionWithTimeouts", res, err)
	var e *Error
	switch {
	case err == nil:
	case errors.As(err, &e) && (e.Class == Denied || e.Class == LoginFailed):
		return "", &Error{Class: Denied, Op: "sudo", Err: err, Message: fmt.Sprintf(
			"%s may not act as %s in group %s: it takes an administrator with the privilege Sudo, or an owner of that group for one of its members (%s)",
			c.who.UserName, s.user, s.group, e.Message)}
	default:
		return "", err
	}
	key, _ := plain(o.Get("uuid")).(string)
	if key == "" {
		return "", failure(Internal, "sudo", "the server gave no session")
	}
	return key, nil
}

// closeTries bounds how often a session is told to end: the server counts who
// uses it, and each call takes one off.
const closeTries = 8

// endSession ends a session for good. One that is gone already is as good.
func (c *Client) endSession(ctx context.Context, l *link, key string) error {
	p, err := l.proxy(ctx, sessionService)
	if err != nil {
		return err
	}
	o := c.fresh("Session").Set("uuid", c.rstring(key))
	for range closeTries {
		res, err := c.on(ctx, l, p, sessionService.iface, "closeSession", o)
		left, err := result[int32]("closeSession", res, err)
		if err != nil {
			if dead, _ := linkLost(err); dead || errors.Is(err, Offline) {
				return nil // with the last user of a session its objects and its connection go
			}
			return err
		}
		if left <= 0 {
			return nil
		}
	}
	return failure(Internal, "log out", "the session does not end")
}
