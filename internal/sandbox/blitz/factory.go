package blitz

import (
	"context"
	"strings"

	"omerods/internal/ice"
	"omerods/internal/sandbox/store"
)

// factory is the session object of a client.
type factory struct{ s *Server }

// Method implements Servant.
func (f factory) Method(operation string) Method {
	if m := factoryMethods[operation]; m != nil {
		return m
	}
	f.s.mu.Lock()
	svc := f.s.getters[operation]
	f.s.mu.Unlock()
	if svc == nil {
		return nil
	}
	return func(ctx context.Context, c *Call) ([]any, error) { return one(c.Session.open(c, svc)) }
}

var factoryMethods = Methods{
	"submit":             submit,
	"keepAlive":          keepAlive,
	"keepAllAlive":       keepAllAlive,
	"closeOnDestroy":     setDetach(false),
	"detachOnDestroy":    setDetach(true),
	"activeServices":     activeServices,
	"getByName":          openByName,
	"createByName":       openByName,
	"setCallback":        ignore, // what it would be told, the next request finds out
	"subscribe":          ignore,
	"setSecurityContext": setSecurityContext,
	"getSecurityContexts": func(_ context.Context, c *Call) ([]any, error) {
		return c.rows(func(tx *store.Tx, who *Caller) ([]*store.Row, error) {
			var rows []*store.Row
			for _, id := range who.Member {
				rows = append(rows, tx.Get(tx.Model().Class("ExperimenterGroup"), id))
			}
			return rows, nil
		})
	},
	"setSecurityPassword": func(_ context.Context, c *Call) ([]any, error) {
		if !c.Server.secrets.check(c.Session.User, Arg[string](c, 0)) {
			return nil, Fail(SecurityViolation, "wrong password")
		}
		return nil, nil
	},
	"destroy": func(_ context.Context, c *Call) ([]any, error) {
		c.Server.end(c.Session)
		return nil, nil
	},
}

func ignore(context.Context, *Call) ([]any, error) { return nil, nil }

// alive reports whether a proxy leads to an object of the session.
func (c *Call) alive(v any) bool {
	p, ok := v.(*ice.Proxy)
	return ok && p != nil && (c.Session.object(p.Identity) != nil || p.Identity == c.self)
}

func keepAlive(_ context.Context, c *Call) ([]any, error) { return []any{c.alive(c.Args[0])}, nil }

// keepAllAlive sets a bit for each proxy that leads to something.
func keepAllAlive(_ context.Context, c *Call) ([]any, error) {
	var mask int64
	for i, p := range Arg[[]any](c, 0) {
		if i < 64 && c.alive(p) {
			mask |= 1 << i
		}
	}
	return []any{mask}, nil
}

func setDetach(detach bool) Method {
	return func(_ context.Context, c *Call) ([]any, error) {
		c.Session.mu.Lock()
		defer c.Session.mu.Unlock()
		c.Session.detach = detach
		return nil, nil
	}
}

func activeServices(_ context.Context, c *Call) ([]any, error) {
	return []any{c.Session.active()}, nil
}

func openByName(_ context.Context, c *Call) ([]any, error) {
	name := Arg[string](c, 0)
	c.Server.mu.Lock()
	svc := c.Server.services[name]
	c.Server.mu.Unlock()
	if svc == nil || svc.Stateful != strings.HasPrefix(c.Operation, "create") {
		return nil, Fail(APIUsage, "no service %s", name)
	}
	return one(c.Session.open(c, svc))
}

// setSecurityContext moves the session to another group and returns the old
// one. Open stateful services belong to the old group and forbid it.
func setSecurityContext(_ context.Context, c *Call) ([]any, error) {
	target := Arg[*ice.Object](c, 0)
	class := c.Server.classOf(target)
	if class == nil || class.Name != "ExperimenterGroup" {
		return nil, Fail(APIUsage, "a security context is a group")
	}
	id, ok := unbox(target.Get("id")).(int64)
	if !ok {
		return nil, Fail(APIUsage, "the group has no id")
	}
	old := c.Session.currentGroup()
	out, err := c.rows(func(tx *store.Tx, who *Caller) ([]*store.Row, error) {
		if err := who.enter(tx, id); err != nil {
			return nil, err
		}
		return []*store.Row{tx.Get(class, old)}, nil
	})
	if err != nil {
		return nil, err
	}
	c.Session.mu.Lock()
	c.Session.group = id
	c.Session.mu.Unlock()
	return []any{out[0].([]any)[0]}, nil
}

// rows answers with rows as loaded objects.
func (c *Call) rows(find func(tx *store.Tx, who *Caller) ([]*store.Row, error)) (out []any, err error) {
	err = c.View(func(tx *store.Tx, who *Caller) error {
		rows, err := find(tx, who)
		if err == nil {
			out = []any{c.Objects(tx, who, rows...)}
		}
		return err
	})
	return out, err
}

// row answers with one row as a loaded object, nil for none.
func (c *Call) row(find func(tx *store.Tx, who *Caller) (*store.Row, error)) (out []any, err error) {
	err = c.View(func(tx *store.Tx, who *Caller) error {
		row, err := find(tx, who)
		if err != nil {
			return err
		}
		if out = []any{nil}; row != nil {
			out = c.Objects(tx, who, row)
		}
		return nil
	})
	return out, err
}
