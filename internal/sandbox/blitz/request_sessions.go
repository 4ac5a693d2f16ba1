package blitz

import (
	"context"
	"slices"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// currentSessions lists who is logged in. Of the sessions of others, somebody
// who is no administrator learns the names of the user and of the group.
func currentSessions(_ context.Context, c *Call, _ *ice.Object, _ *Task) (*ice.Object, error) {
	var sessions, contexts, data []any
	open := c.Server.allSessions()
	slices.SortFunc(open, func(a, b *Session) int { return int(a.ID - b.ID) })
	err := c.View(func(tx *store.Tx, who *Caller) error {
		for _, s := range open {
			user, err := callerOf(tx, s, s.User)
			if err != nil {
				continue // its user was removed
			}
			sub := *c
			sub.Session = s
			ec := sub.eventContext(tx, user)
			var row any
			state := ice.Dict{}
			if who.Admin || s.User == who.User {
				row = c.Objects(tx, who, tx.Get(tx.Model().Class("Session"), s.ID))[0]
				state = ice.Dict{{Key: "lastAccessTime", Value: c.Server.RTime(store.Time(s.lastUse().UnixMilli()))}}
			} else {
				ec = c.Server.defs.New("::omero::sys::EventContext").
					Set("userId", ec.Get("userId")).Set("userName", ec.Get("userName")).
					Set("groupId", ec.Get("groupId")).Set("groupName", ec.Get("groupName")).Set("isAdmin", ec.Get("isAdmin"))
			}
			sessions, contexts, data = append(sessions, row), append(contexts, ec), append(data, state)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c.Server.defs.New("::omero::cmd::CurrentSessionsResponse").
		Set("sessions", sessions).Set("contexts", contexts).Set("data", data), nil
}
