package blitz

import (
	"context"
	"strings"
	"sync"

	"omerods/internal/ice"
	"omerods/internal/sandbox/iceserver"
)

// link is the router's side of one connection: at most one session, and the
// identities that the client announced.
type link struct {
	srv  *Server
	conn *iceserver.Conn

	outgoing chan *ice.Request // to the client's callbacks
	sending  sync.Once         // starts who sends them

	mu       sync.Mutex // guards the fields below
	session  *Session
	client   string // the uuid the client chose
	category string // of the client's callbacks
	table    map[ice.Identity]*ice.Proxy
	inTurn   []ice.Identity // of table, oldest first
	starting bool
}

// maxRoutes is how many identities a client may have announced.
const maxRoutes = 1000

var routerIdentity = ice.Identity{Name: "router", Category: "OMERO.Glacier2"}

type linkKey struct{}

// link returns the router's side of a connection.
func (s *Server) link(c *iceserver.Conn) *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l, ok := c.Value(linkKey{}).(*link); ok {
		return l
	}
	l := &link{srv: s, conn: c, outgoing: make(chan *ice.Request, maxOutgoing), table: make(map[ice.Identity]*ice.Proxy)}
	c.SetValue(linkKey{}, l)
	c.OnClose(func() { l.destroy() })
	return l
}

// handle answers a request of a connection.
func (s *Server) handle(ctx context.Context, c *iceserver.Conn, req *ice.Request) *ice.Reply {
	l := s.link(c)
	if req.Identity == routerIdentity {
		return l.router(ctx, req)
	}
	return l.forward(ctx, req)
}

// router answers a request to the router itself.
func (l *link) router(ctx context.Context, req *ice.Request) *ice.Reply {
	iface := l.srv.defs.Interface("::Glacier2::Router")
	return l.faulty("Router."+req.Operation, func() *ice.Reply {
		return iceserver.Dispatch(ctx, l.srv.defs, iface, req, func(ctx context.Context, op *ice.Operation, args []any, ctxt map[string]string) ([]any, error) {
			switch op.Name {
			case "createSession":
				user, _ := args[0].(string)
				password, _ := args[1].(string)
				return one(l.createSession(user, password, ctxt))
			case "createSessionFromSecureConnection":
				return nil, &iceserver.Exception{ID: "::Glacier2::PermissionDeniedException", Values: map[string]any{"reason": "not supported"}}
			case "destroySession":
				if !l.destroy() {
					return nil, noSession()
				}
				return nil, nil
			case "refreshSession":
				if l.current() == nil {
					return nil, noSession()
				}
				return nil, nil
			case "getSessionTimeout":
				return []any{int64(routerTimeout)}, nil
			case "getACMTimeout":
				return []any{int32(routerTimeout)}, nil
			}
			if l.current() == nil {
				return nil, iceserver.ErrNotExist
			}
			switch op.Name {
			case "getCategoryForClient":
				return []any{l.callbackCategory()}, nil
			case "addProxies":
				return []any{l.announce(args[0].([]any))}, nil
			case "getClientProxy":
				return []any{true, nil}, nil
			}
			return []any{l.srv.proxy(ice.Identity{Name: "dummy", Category: l.callbackCategory()})}, nil // getServerProxy
		})
	})
}

// routerTimeout is after how many seconds an idle connection may end.
const routerTimeout = 600

func noSession() error {
	return &iceserver.Exception{ID: "::Glacier2::SessionNotExistException"}
}

func (l *link) current() *Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session
}

// callbackCategory is by what requests to the client's own objects are known.
func (l *link) callbackCategory() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.category
}

// announce takes identities into the table and returns those that it pushes
// out.
func (l *link) announce(proxies []any) []any {
	l.mu.Lock()
	defer l.mu.Unlock()
	evicted := []any{}
	for _, v := range proxies {
		p, ok := v.(*ice.Proxy)
		if !ok || p == nil || l.table[p.Identity] != nil {
			continue
		}
		if len(l.inTurn) >= maxRoutes {
			evicted = append(evicted, l.table[l.inTurn[0]])
			delete(l.table, l.inTurn[0])
			l.inTurn = l.inTurn[1:]
		}
		l.table[p.Identity] = p
		l.inTurn = append(l.inTurn, p.Identity)
	}
	return evicted
}

// destroy ends the connection's part in its session; false when it has none.
func (l *link) destroy() bool {
	l.mu.Lock()
	sess, category := l.session, l.category
	l.session, l.category = nil, ""
	l.mu.Unlock()
	if sess == nil {
		return false
	}
	l.srv.mu.Lock()
	delete(l.srv.callbacks, category)
	l.srv.mu.Unlock()
	sess.leave()
	return true
}

// forward hands a request on to the object it names, if the router lets it
// pass.
func (l *link) forward(ctx context.Context, req *ice.Request) *ice.Reply {
	l.mu.Lock()
	sess, client, known := l.session, l.client, l.table[req.Identity] != nil
	l.mu.Unlock()
	if sess == nil {
		l.conn.Abort() // as Glacier2 ends a connection without a session: without a word
		return nil
	}
	if !known {
		r := iceserver.NotExist(ice.StatusObjectNotExist, req)
		r.Operation = "ice_add_proxy"
		return r
	}
	o, sess := l.srv.find(sess, client, req)
	if o == nil || o.iface == nil {
		return iceserver.NotExist(ice.StatusObjectNotExist, req)
	}
	if len(req.Facet) > 0 {
		return iceserver.NotExist(ice.StatusFacetNotExist, req)
	}
	name := shortName(o.iface.ID) + "." + req.Operation
	return l.faulty(name, func() *ice.Reply {
		return iceserver.Dispatch(ctx, l.srv.defs, o.iface, req, func(ctx context.Context, op *ice.Operation, args []any, ctxt map[string]string) ([]any, error) {
			c := &Call{Server: l.srv, Session: sess, Operation: op.Name, Args: args, Context: ctxt, self: req.Identity}
			if sess == nil {
				return nil, Fail(RemovedSession, "no session %s", ctxt["omero.session.uuid"])
			}
			sess.touch()
			out, err := o.invoke(ctx, op, c)
			if err != nil {
				return nil, l.srv.translate(name, err)
			}
			return out, nil
		})
	})
}

// find applies the router's filter and finds the object and the session that a
// request is for. Objects without a session find theirs through the context.
func (s *Server) find(sess *Session, client string, req *ice.Request) (*object, *Session) {
	if s.session(sess.UUID) == nil {
		return nil, nil
	}
	id := req.Identity
	switch id.Category {
	case "session-" + client:
		if id.Name != sess.UUID {
			return nil, nil
		}
		return &object{iface: s.defs.Interface("::omero::api::ServiceFactory"), servant: factory{s}}, sess
	case sess.UUID:
		return sess.object(id), sess
	}
	sess.mu.Lock()
	admitted := sess.admitted[id]
	sess.mu.Unlock()
	if !admitted {
		return nil, nil
	}
	s.mu.Lock()
	o := s.globals[id]
	s.mu.Unlock()
	return o, s.session(req.ContextMap()["omero.session.uuid"])
}

// faulty runs a request, unless the tests of crashes want it otherwise.
func (l *link) faulty(op string, run func() *ice.Reply) *ice.Reply {
	if l.srv.cfg.Fault == nil {
		return run()
	}
	switch l.srv.cfg.Fault(op, l.srv.count(op)) {
	case FaultBefore:
		l.conn.Abort()
		return nil
	case FaultAfter:
		run()
		l.conn.Abort()
		return nil
	}
	return run()
}

// isUUID reports whether a text looks like the key of a session.
func isUUID(s string) bool { return len(s) == 36 && strings.Count(s, "-") == 4 }
